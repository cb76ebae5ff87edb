import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { DaggyrClient, shell } from './daggyr-client.ts';
import { waitFor } from './wait-for.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

let stack: Stack;
let daggyr: DaggyrClient;

beforeAll(async () => {
  stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  daggyr = new DaggyrClient(stack.apiUrl);
});
afterAll(() => stack[Symbol.asyncDispose]());

function file(name: string): string {
  return join(stack.dir, name);
}

function readExample(name: string): unknown {
  return JSON.parse(readFileSync(join(root, 'examples', 'daggyr', name), 'utf8'));
}

describe('what DaggyR does', () => {
  test('a run of the list dialect: instances, retries, a timeout', async () => {
    const { run_id, warnings } = await daggyr.submit(readExample('list.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { tags, tasks } = await daggyr.full(run_id);

    expect(warnings).toBeUndefined();
    expect(tags).toEqual({ env: 'test', team: 'data' });
    expect(Object.keys(tasks)).toEqual(['pull.0', 'pull.1', 'pull.2', 'derive', 'report']);
    expect(tasks['pull.1']).toMatchObject({
      task: { details: { environment: { SOURCE: 'B' } } },
      attempts: [
        {
          output: 'pulled B\n',
          error: '',
          succeeded: true,
          killed: false,
          exit_code: 0,
          max_rss: null,
        },
      ],
      state_changes: [{ state: 'Queued' }, { state: 'Running' }, { state: 'Completed' }],
    });
    expect(tasks['derive']).toMatchObject({
      task: { max_retries: 2, parents: ['pull'], children: ['report'], details: { timeout: 60 } },
    });
  });

  test('a run of the map dialect: literal substrings, heads and tails', async () => {
    const { run_id } = await daggyr.submit(readExample('map.json'));

    expect(await daggyr.end(run_id)).toBe('Completed');
    const states = await daggyr.tasks(run_id);
    const north = await daggyr.task(run_id, 'pull.DATE:2022-01-02.ZONE:north');

    expect(Object.keys(states)).toEqual([
      'pull',
      'pull.DATE:2022-01-01.ZONE:north',
      'pull.DATE:2022-01-01.ZONE:south',
      'pull.DATE:2022-01-02.ZONE:north',
      'pull.DATE:2022-01-02.ZONE:south',
      'pull.tail',
      'sum',
      'sum.DATE:2022-01-01',
      'sum.DATE:2022-01-02',
      'sum.tail',
      'report',
    ]);
    expect(new Set(Object.values(states))).toEqual(new Set(['Completed']));
    expect(north).toMatchObject({
      task: {
        task_type: 'Normal',
        parents: ['pull'],
        children: ['pull.tail'],
        details: { environment: { DAY: '2022-01-02' }, resources: { cores: 1, memory_mb: 100 } },
      },
      attempts: [{ output: 'pull-2022-01-02-north\n' }],
    });
  });

  test('a task that fails is tried again, and every attempt is told', async () => {
    const flag = file('third');
    const line = `echo try; [ $(cat ${flag} 2>/dev/null | wc -c) -ge 2 ] || { printf x >> ${flag}; exit 4; }`;
    const { run_id } = await daggyr.submit({ tasks: { a: shell(line, { max_retries: 3 }) } });

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { attempts } = await daggyr.task(run_id, 'a');

    expect(attempts.map(({ succeeded, exit_code }) => [succeeded, exit_code])).toEqual([
      [false, 4],
      [false, 4],
      [true, 0],
    ]);
    expect(attempts[0]).toMatchObject({ output: 'try\n', killed: false });
  });

  test('a task that runs too long is killed', async () => {
    const slow = { details: { command: ['sleep', '60'], timeout: 1 } };
    const { run_id } = await daggyr.submit({ tasks: { slow } });

    expect(await daggyr.end(run_id)).toBe('Errored');
    const { attempts } = await daggyr.task(run_id, 'slow');

    expect(attempts).toMatchObject([{ killed: true, succeeded: false }]);
  });
});

describe('where DaggyR fails', () => {
  test('a run with a failed task ends Errored, and what depends on it stays Queued', async () => {
    const { run_id } = await daggyr.submit({
      tasks: { bad: shell('echo why >&2; exit 3', { children: ['next'] }), next: shell('true') },
    });

    expect(await daggyr.end(run_id)).toBe('Errored');
    const bad = await daggyr.task(run_id, 'bad');

    expect(await daggyr.tasks(run_id)).toEqual({ bad: 'Errored', next: 'Queued' });
    expect(bad.attempts).toMatchObject([
      { output: 'why\n', exit_code: 3, error: expect.stringContaining('code 3') },
    ]);
  });

  test.each([
    ['on both sides', { children: ['b'] }, { parents: ['a'] }],
    ['twice', { children: ['b', 'b'] }, {}],
  ])('an edge that is named %s does not block the child', async (_, ofA, ofB) => {
    const { run_id } = await daggyr.submit({
      tasks: { a: shell('true', ofA), b: shell('true', ofB) },
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
  });

  test('the child of an expanded task waits for all that it became', async () => {
    const { run_id } = await daggyr.submit({
      parameters: { NN: ['1', '2', '3'] },
      tasks: { a: shell('sleep 0.NN'), b: shell('true', { parents: ['a'] }) },
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { tasks } = await daggyr.full(run_id);
    const ends = ['1', '2', '3'].map((n) => tasks[`a.NN:${n}`]?.attempts[0]?.stop_time ?? '');

    expect(Date.parse(tasks['b']?.attempts[0]?.start_time ?? '')).toBeGreaterThanOrEqual(
      Math.max(...ends.map((end) => Date.parse(end))),
    );
  });

  test('a retry goes on where the run left off, with a task that is completed', async () => {
    const flag = file('repaired');
    const { run_id } = await daggyr.submit({
      tasks: {
        done: shell('echo once', { children: ['broken'] }),
        broken: shell(`test -e ${flag}`, { children: ['last'] }),
        last: shell('echo last'),
      },
    });
    expect(await daggyr.end(run_id)).toBe('Errored');
    writeFileSync(flag, '');

    expect(await daggyr.retry(run_id)).toEqual({ run_id });
    await waitFor(30_000, async () => {
      const { state } = await daggyr.state(run_id);
      return state === 'Completed' ? { done: true } : { notYet: state };
    });
    const { tasks } = await daggyr.full(run_id);

    expect(tasks['done']?.attempts).toHaveLength(1);
    expect(tasks['broken']?.attempts.map(({ succeeded }) => succeeded)).toEqual([false, true]);
    expect(tasks['last']?.attempts).toMatchObject([{ output: 'last\n' }]);
  });

  test('a retry of a run that is completed changes nothing', async () => {
    const { run_id } = await daggyr.submit({ tasks: { a: shell('true') } });
    await daggyr.end(run_id);

    expect(await daggyr.retry(run_id)).toEqual({ run_id });
    expect(await daggyr.state(run_id)).toMatchObject({ state: 'Completed' });
    expect((await daggyr.task(run_id, 'a')).attempts).toHaveLength(1);
  });

  test('a command that there is not fails its task and hangs nothing', async () => {
    const { run_id } = await daggyr.submit({
      tasks: { none: { details: { command: ['there-is-no-such-command'] } }, other: shell('true') },
    });

    expect(await daggyr.end(run_id)).toBe('Errored');
    const none = await daggyr.task(run_id, 'none');

    expect(await daggyr.tasks(run_id)).toEqual({ none: 'Errored', other: 'Completed' });
    expect(none.attempts).toMatchObject([
      { exit_code: null, error: expect.stringContaining('there-is-no-such-command') },
    ]);
  });

  test('30 MB of output are cut to their end', async () => {
    const { run_id } = await daggyr.submit({
      tasks: { flood: shell('yes 0123456789abcdef | head -c 30000000; echo; echo the end') },
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
    const [attempt] = (await daggyr.task(run_id, 'flood')).attempts;

    expect(attempt?.output.length).toBeLessThan(70_000);
    expect(attempt?.output).toMatch(/^\[… \d+ bytes earlier were not kept\]\n/);
    expect(attempt?.output.endsWith('the end\n')).toBe(true);
  });

  test('a full pool neither blocks the API nor holds up a kill', async () => {
    const values = Array.from({ length: 500 }, (_, index) => `v${index}`);
    const busy = await daggyr.submit({
      parameters: { NN: values },
      tasks: { long: shell('echo NN; sleep 600') },
    });
    await waitFor(30_000, async () => {
      const states = Object.values(await daggyr.tasks(busy.run_id));
      const running = states.filter((state) => state === 'Running').length;
      return running === 2 ? { done: true } : { notYet: running };
    });
    const started = performance.now();

    const waiting = await daggyr.submit({ tasks: { next: shell('true') } });
    await daggyr.kill(busy.run_id);
    const state = await daggyr.state(busy.run_id);
    const tookMs = performance.now() - started;

    expect(state.state).toBe('Killed');
    expect(tookMs).toBeLessThan(2_000);
    // The slots are free at once for what waited behind.
    expect(await daggyr.end(waiting.run_id)).toBe('Completed');
    const states = await waitFor(30_000, async () => {
      const found = new Set(Object.values(await daggyr.tasks(busy.run_id)));
      return found.has('Running') ? { notYet: [...found] } : { done: found };
    });
    expect(states.has('Killed')).toBe(true);
    const { tasks } = await daggyr.full(busy.run_id);
    const ended = Object.values(tasks).flatMap(({ attempts }) => attempts);
    // The head of the expanded task has succeeded.
    const killed = ended.filter(({ succeeded }) => !succeeded);
    expect(killed).toMatchObject([
      { killed: true, succeeded: false, exit_code: null },
      { killed: true, succeeded: false, exit_code: null },
    ]);
  });
});

describe('generators, where DaggyR fails', () => {
  /** Prints the document. */
  function generator(document: unknown, fields: object = {}) {
    return {
      ...fields,
      is_generator: true,
      details: { command: ['echo', JSON.stringify(document)] },
    };
  }

  test('the child of a generator waits for all that it generates, and edges inside are kept', async () => {
    const { run_id } = await daggyr.submit({
      tasks: {
        make: generator(
          {
            first: { ...shell('sleep 0.3; echo first'), children: ['second'] },
            second: shell('echo second'),
          },
          { children: ['after'] },
        ),
        after: shell('echo after'),
      },
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
    const { tasks } = await daggyr.full(run_id);
    const [first, second, after] = ['make.first', 'make.second', 'after'].map(
      (name) => tasks[name]?.attempts[0],
    );

    expect(Object.keys(tasks).sort()).toEqual(['after', 'make', 'make.first', 'make.second']);
    expect(tasks['make']?.task).toMatchObject({ is_generator: true, children: ['after'] });
    expect(tasks['make.second']?.task).toMatchObject({ is_generator: false });
    expect(second?.output).toBe('second\n');
    expect(Date.parse(second?.start_time ?? '')).toBeGreaterThanOrEqual(
      Date.parse(first?.stop_time ?? ''),
    );
    expect(Date.parse(after?.start_time ?? '')).toBeGreaterThanOrEqual(
      Date.parse(second?.stop_time ?? ''),
    );
  });

  test('a list, and parameters of its own, can be generated too', async () => {
    const { run_id } = await daggyr.submit({
      tasks: [
        {
          class: 'make',
          ...generator([
            {
              class: 'part',
              parameters: { NN: ['1', '2'] },
              details: { command: ['echo', 'NN'] },
            },
          ]),
        },
      ],
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
    expect(Object.keys(await daggyr.tasks(run_id)).sort()).toEqual([
      'make',
      'make.part.0',
      'make.part.1',
    ]);
  });

  test('a name that the run has already kills no server', async () => {
    const { run_id } = await daggyr.submit({
      tasks: { make: generator({ other: shell('true') }), other: shell('true') },
    });

    expect(await daggyr.end(run_id)).toBe('Completed');
    expect(Object.keys(await daggyr.tasks(run_id)).sort()).toEqual(['make', 'make.other', 'other']);
  });

  test('what is no set of tasks fails the generator, with the reason', async () => {
    const { run_id } = await daggyr.submit({
      tasks: {
        make: generator({ bad: { details: {} } }, { children: ['after'] }),
        after: shell('true'),
      },
    });

    expect(await daggyr.end(run_id)).toBe('Errored');
    const { attempts } = await daggyr.task(run_id, 'make');

    expect(await daggyr.tasks(run_id)).toEqual({ make: 'Errored', after: 'Queued' });
    expect(attempts[0]?.error).toContain('bad.details.command');
  });
});

test('kill -9 of every process loses nothing and leaves no command behind', async () => {
  await using own = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const pidFile = join(own.dir, 'pid');
  const { run_id } = await new DaggyrClient(own.apiUrl).submit({
    tags: { kept: 'yes' },
    tasks: {
      first: shell('true', { children: ['second'] }),
      second: shell(`echo $$ >> ${pidFile}; [ $(wc -l < ${pidFile}) -gt 1 ] || exec sleep 600`),
    },
  });
  const pid = await waitFor(30_000, async () => {
    const text = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : '';
    return text === '' ? { notYet: text } : { done: Number(text) };
  });

  await Promise.all(own.processes.map((one) => one.kill('SIGKILL')));
  await waitFor(10_000, async () => (isAlive(pid) ? { notYet: pid } : { done: true }));
  await Promise.all([own.add('api'), own.add('listener'), own.add('worker')]);
  const again = new DaggyrClient(own.apiUrl);

  expect(await again.end(run_id)).toBe('Completed');
  const { tags, tasks } = await again.full(run_id);
  expect(tags).toEqual({ kept: 'yes' });
  expect(tasks['first']?.attempts).toHaveLength(1);
});

test('an API that dies before it gave a run its number leaves a run that is listed', async () => {
  await using own = await Stack.start({ listeners: 1, workers: 1 });
  const dying = await own.add('api', { RUNNEL_FAILPOINTS: 'number.after-count=crash@1' });
  const sent = new DaggyrClient(own.apiUrl).submit({
    tags: { lost: 'no' },
    tasks: { a: shell('true') },
  });
  await expect(sent).rejects.toThrow();
  await dying.gone;
  await own.add('api');

  const listed = await fetch(`${own.apiUrl}/daggyr/api/v1/runs?tags=lost:no`);
  const [run]: readonly { run_id: number }[] = JSON.parse(await listed.text());

  expect(await new DaggyrClient(own.apiUrl).end(run?.run_id ?? -1)).toBe('Completed');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie still has its number, but runs nothing.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
