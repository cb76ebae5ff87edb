import { expect, test } from 'vitest';
import { renderPaused } from './get.ts';

const since = '2030-01-31T08:00:00.000Z';

test('tells the classes and tasks that are paused by themselves', () => {
  const lines = renderPaused({
    pausedParts: {
      classes: [{ class: 'clean', since, by: 'ann@host' }],
      tasks: [{ number: 7, id: 'pull:CITY=oslo', since, by: null }],
      omitted: 3,
    },
  });

  expect(lines).toEqual([
    'paused class clean by ann@host',
    'paused task pull:CITY=oslo',
    'paused … and 3 more',
  ]);
  expect(renderPaused({ pausedParts: null })).toEqual([]);
});
