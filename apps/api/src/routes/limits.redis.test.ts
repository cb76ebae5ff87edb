import { problemDocument } from '@runnel/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), {
    env: {
      RUNNEL_MAX_TASKS: '1500',
      RUNNEL_MAX_PRODUCT: '2000',
      RUNNEL_MAX_EDGES: '2500',
      RUNNEL_MAX_BODY: '256KB',
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());

/** So many tasks, each of which waits for so many before it; with room for more text in each. */
function tasksOf(count: number, parents: number, padding = ''): object[] {
  return Array.from({ length: count }, (_, index) => ({
    class: 'work',
    id: `t${index}`,
    executor: 'noop',
    ...(padding === '' ? {} : { details: { output: { padding } } }),
    parents: Array.from({ length: Math.min(parents, index) }, (__, step) => ({
      id: `t${index - step - 1}`,
    })),
  }));
}

const product = (count: number) => ({
  parameters: { N: { from: 1, to: count } },
  tasks: [{ class: 'work', executor: 'noop', details: { output: { n: '{{N}}' } } }],
});

const asDocument = (tasks: readonly object[]) => JSON.stringify({ tasks });
const asLines = (tasks: readonly object[]) =>
  [{}, ...tasks].map((line) => JSON.stringify(line)).join('\n');

async function refusalOf(body: string, type: string): Promise<readonly [number, string]> {
  const before = await api.keys();
  const response = await fetch(api.at('/api/v1/runs'), {
    method: 'POST',
    body,
    headers: { 'Content-Type': type },
  });
  const { status, detail, errors } = problemDocument.parse(await response.json());
  expect(await api.keys()).toEqual(before);
  return [status, errors?.[0]?.detail ?? detail ?? ''];
}

const json = 'application/json';
const ndjson = 'application/x-ndjson';

describe('over a limit a run is refused with both numbers, and nothing is stored:', () => {
  test.each([
    ['tasks of a document', json, asDocument(tasksOf(1501, 0)), '1501 tasks or more', '1500'],
    // Over 100 KB tasks are read one by one.
    ['of large JSON', json, asDocument(tasksOf(1501, 0, 'x'.repeat(60))), '1501 tasks', '1500'],
    ['of lines', ndjson, asLines(tasksOf(1501, 0)), '1501 tasks or more', '1500'],
    ['of a product', json, JSON.stringify(product(1600)), '1600 tasks', '1500'],
    ['combinations', json, JSON.stringify(product(2001)), '2001', '2000'],
    ['edges of a document', json, asDocument(tasksOf(700, 4)), '2790 edges', '2500'],
    [
      'edges of large JSON',
      json,
      asDocument(tasksOf(700, 4, 'x'.repeat(99))),
      '2790 edges',
      '2500',
    ],
    ['edges of lines', ndjson, asLines(tasksOf(700, 4)), '2502 edges or more', '2500'],
  ])('%s', async (_, type, body, found, limit) => {
    const [status, detail] = await refusalOf(body, type);

    expect(status).toBe(422);
    expect(detail).toContain(found);
    expect(detail).toMatch(new RegExp(`(over|more than) the limit of ${limit}`));
  });

  test.each([
    ['bytes of a document', json, 262_145, 262_144],
    ['bytes of lines', ndjson, 4_194_305, 4_194_304],
  ])('%s', async (_, type, bytes, limit) => {
    const [status, detail] = await refusalOf(' '.repeat(bytes), type);

    expect(status).toBe(413);
    expect(detail).toContain(`has ${bytes} bytes; at most ${limit}`);
  });
});
