import { connectRedis } from '@runnel/store';
import { expect, inject, test } from 'vitest';
import { requireRoom } from './followers.ts';
import { RunChannels } from './run-channels.ts';

test('1000 logs and feeds may be followed at once, and more when one of them ends', async () => {
  const subscriber = connectRedis(inject('redisUrl'), () => undefined);
  const channels = new RunChannels({ subscriber, namespace: 'f', onError: () => undefined });
  const followers = Array.from({ length: 999 }, (_, n) =>
    channels.listen(`r${n}`, () => undefined),
  );
  requireRoom({ channels });
  using last = channels.listen('r0', () => undefined);

  expect(() => requireRoom({ channels })).toThrow(
    '1000 logs and feeds are being followed already: try again later',
  );
  last[Symbol.dispose]();
  expect(() => requireRoom({ channels })).not.toThrow();

  for (const follower of followers) follower[Symbol.dispose]();
  expect(channels.size).toBe(0);
  subscriber.disconnect();
});
