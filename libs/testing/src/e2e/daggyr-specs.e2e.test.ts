import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { DaggyrClient } from './daggyr-client.ts';

/** Specs as DaggyR's users write them, which are no part of the repository. */
const folder =
  process.env['RUNNEL_DAGGYR_SPECS'] ??
  fileURLToPath(new URL('../../../../../shared/daggyr', import.meta.url));
const isThere = existsSync(folder);
const title = isThere
  ? "DaggyR's own specs"
  : `DaggyR's own specs (skipped: there is no ${folder})`;

/** 40,000 commands, on a machine with other work. */
const bigRunMs = 600_000;

describe.skipIf(!isThere)(title, () => {
  let stack: Stack;
  let daggyr: DaggyrClient;

  beforeAll(async () => {
    stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
    daggyr = new DaggyrClient(stack.apiUrl);
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  function read(name: string): string {
    return readFileSync(join(folder, name), 'utf8');
  }

  test('v1-basic-job-tags-fixed.json: two instances whose output is the date', async () => {
    const { run_id } = await daggyr.submit(read('v1-basic-job-tags-fixed.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { tags, tasks } = await daggyr.full(run_id);

    expect(tags).toEqual({ user: 'myself' });
    const outputs = Object.entries(tasks).map(([name, { attempts }]) => [
      name,
      attempts[0]?.output,
    ]);
    expect(outputs).toEqual([
      ['a.0', '2022-01-01\n'],
      ['a.1', '2022-01-02\n'],
    ]);
  });

  test('v2-basic-job.json: instances by value, a head and a tail', async () => {
    const { run_id } = await daggyr.submit(read('v2-basic-job.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    expect(await daggyr.tasks(run_id)).toEqual({
      a: 'Completed',
      'a.{{DATE}}:2022-01-01': 'Completed',
      'a.{{DATE}}:2022-01-02': 'Completed',
      'a.tail': 'Completed',
    });
  });

  test('v2-agent-job.json: a literal substring, resources are no obstacle', async () => {
    const { run_id, warnings } = await daggyr.submit(read('v2-agent-job.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { attempts } = await daggyr.task(run_id, 'a.DATE:2022-01-02');

    expect(warnings).toBeUndefined();
    expect(attempts).toMatchObject([{ output: '2022-01-02\n' }]);
  });

  test('v2-test-simple-dag.json: other_task after simple_task, details.env is warned of', async () => {
    const { run_id, warnings } = await daggyr.submit(read('v2-test-simple-dag.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { tasks } = await daggyr.full(run_id);
    const [first, second] = ['simple_task', 'other_task'].map((name) => tasks[name]?.attempts[0]);

    expect(warnings?.map(({ path }) => path)).toEqual([
      'tasks.simple_task.details.env',
      'tasks.other_task.details.env',
    ]);
    expect(Date.parse(second?.start_time ?? '')).toBeGreaterThanOrEqual(
      Date.parse(first?.stop_time ?? ''),
    );
    expect(second?.output).toBe('task $ENVVAR\n');
  });

  test(
    'v2-agent-big-job.json: four times 10,000 tasks, children in details are warned of',
    async () => {
      const { run_id, warnings } = await daggyr.submit(read('v2-agent-big-job.json'));

      expect(warnings?.map(({ path }) => path)).toEqual([
        'tasks.a.details.children',
        'tasks.b.details.children',
        'tasks.c.details.children',
      ]);
      expect(await daggyr.end(run_id, bigRunMs)).toBe('Completed');
      const states = Object.values(await daggyr.tasks(run_id));
      expect(states).toHaveLength(4 * 10_002);
      expect(new Set(states)).toEqual(new Set(['Completed']));
    },
    bigRunMs,
  );
});
