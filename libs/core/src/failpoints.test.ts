import { afterEach, expect, test } from 'vitest';
import { armFailpoints, failpoint } from './failpoints.ts';

afterEach(() => armFailpoints(undefined));

test('a point that is not armed does nothing', async () => {
  armFailpoints('settle.before=error');

  await expect(failpoint('settle.after')).resolves.toBeUndefined();
});

test('an armed point fails at the hit that was named, once', async () => {
  armFailpoints('settle.before=error@2');

  await failpoint('settle.before');
  await expect(failpoint('settle.before')).rejects.toThrow('failpoint settle.before');
  await failpoint('settle.before');
});

test('a name that does not exist is refused', () => {
  expect(() => armFailpoints('settle.befor=crash')).toThrow(
    'RUNNEL_FAILPOINTS: "settle.befor=crash"',
  );
});

test('a reply is lost behind a write, as a broken connection loses it, and never before one', async () => {
  armFailpoints('settle.after=lose-reply');

  await expect(failpoint('settle.after')).rejects.toThrow('Connection is closed.');
  expect(() => armFailpoints('settle.before=lose-reply')).toThrow('no reply can be lost');
});
