import type { JsonObject, TaskInput } from '@runnel/core';
import { expect, test } from 'vitest';
import { decodeBatch, encodeBatch } from './batch-request.ts';
import type { FunctionDetails } from './details.ts';

function task(number: number, details: FunctionDetails, inputs: JsonObject = {}) {
  return {
    run: { id: 'r', name: 'my run' },
    task: { id: `t-${number}`, number, class: 't', attempt: 2 },
    idempotencyKey: `r.${number}.2`,
    ...{ details, inputs, timeoutMs: null, successExitCodes: [0], isolated: false },
    log: { write: () => true, drained: async () => undefined },
    secret: () => Promise.reject(new Error('there are none here')),
  } satisfies TaskInput<FunctionDetails>;
}

function send(tasks: readonly TaskInput<FunctionDetails>[], places: readonly number[]) {
  return decodeBatch(structuredClone(encodeBatch(tasks, places)));
}

test('brings the tasks at some places', () => {
  const tasks = [
    task(7, { name: 'a', input: 1 }),
    task(8, { name: 'a', input: 2 }, { up: { file: 'x' } }),
    task(9, { name: 'a', input: null }),
  ];

  const sent = send(tasks, [1, 2]);

  expect(sent).toEqual([
    {
      position: 0,
      name: 'a',
      input: 2,
      run: { id: 'r', name: 'my run' },
      task: { id: 't-8', number: 8, class: 't', attempt: 2 },
      idempotencyKey: 'r.8.2',
      inputs: { up: { file: 'x' } },
    },
    {
      position: 1,
      name: 'a',
      input: null,
      run: { id: 'r', name: 'my run' },
      task: { id: 't-9', number: 9, class: 't', attempt: 2 },
      idempotencyKey: 'r.9.2',
      inputs: {},
    },
  ]);
});

test('keeps names that differ, and an input that is not there', () => {
  const tasks = [task(0, { name: 'a' }), task(1, { name: 'b', input: 0 }), task(2, { name: 'a' })];

  const sent = send(tasks, [0, 1, 2]);

  expect(sent.map(({ name, input }) => [name, input])).toEqual([
    ['a', undefined],
    ['b', 0],
    ['a', undefined],
  ]);
});

test('gives each task objects of its own', () => {
  const shared = { list: [1] };
  const tasks = [0, 1].map((n) => task(n, { name: 'a', input: shared }, shared));

  const sent = send(tasks, [0, 1]);

  const objects = sent.flatMap(({ input, inputs }) => [input, inputs]);
  expect(new Set(objects).size).toBe(4);
});
