import type { WireEvent } from '@runnel/client';
import { expect, test } from 'vitest';
import { describeEvent } from './print-events.ts';

const base = {
  specversion: '1.0',
  id: '2',
  source: '/api/v1/runs/r',
  time: '2030-01-31T08:00:00.000Z',
  datacontenttype: 'application/json',
} as const;

test.each<readonly [string, Pick<WireEvent, 'type' | 'data'> & { subject?: string }]>([
  ['run.started', { type: 'runnel.run.started', data: { state: 'running' } }],
  ['run.ended failed', { type: 'runnel.run.ended', data: { state: 'failed' } }],
  [
    'task.failed pull attempt 2: exit: no such file',
    {
      type: 'runnel.task.failed',
      subject: 'pull',
      data: { attempt: 2, reason: 'exit', message: 'no such file\nmore', state: 'failed' },
    },
  ],
  [
    'task.skipped pull',
    { type: 'runnel.task.skipped', subject: 'pull', data: { attempt: 0, state: 'skipped' } },
  ],
])('an event is the line "%s" with its time', (line, event) => {
  expect(describeEvent({ ...base, ...event })).toBe(`2030-01-31T08:00:00.000Z ${line}`);
});
