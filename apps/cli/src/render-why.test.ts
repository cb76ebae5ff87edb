import { expect, test } from 'vitest';
import { renderWhy } from './render-why.ts';
import { createStyle } from './style.ts';

test('the summary comes first, then each reason with its tasks, times and remedy', () => {
  const lines = renderWhy(
    {
      subject: { run: 'r', task: { number: 7, id: 'sum' } },
      state: 'waiting',
      summary: 'task sum is waiting: 30 parents have not ended',
      reasons: [
        {
          code: 'parents',
          detail: '30 parents have not ended',
          count: 30,
          tasks: [{ number: 0, id: 'part', state: 'running' }],
        },
        {
          ...{ code: 'listener-missing', detail: 'no listener gave a sign in the last 5 s' },
          ...{ remedy: 'start a listener', since: '2030-01-31T08:00:00.000Z' },
        },
      ],
    },
    createStyle(false),
  );

  expect(lines).toEqual([
    'task sum is waiting: 30 parents have not ended',
    'parents  30 parents have not ended',
    '  part (0) running',
    '  … and 29 more',
    'listener-missing  no listener gave a sign in the last 5 s',
    '  since 2030-01-31T08:00:00.000Z',
    '  do: start a listener',
  ]);
});
