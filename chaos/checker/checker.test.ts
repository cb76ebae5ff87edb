import { expect, test } from 'vitest';
import type { Evidence, RunEvidence, TaskEvent } from './evidence.ts';
import { expectedEnds } from './expected-ends.ts';
import { judge } from './judge.ts';
import { readClientLog } from './read-files.ts';
import { findKeysTooMany } from './read-redis.ts';

/** Two tasks, the second after the first, that went well. */
const graph = [
  { id: 'a', executor: 'function', parents: [], runIf: 'all-succeeded', ends: ['succeeded'] },
  { id: 'b', executor: 'function', parents: ['a'], runIf: 'all-succeeded', ends: ['succeeded'] },
];

const counts = { succeeded: 2, failed: 0, skipped: 0, 'upstream-failed': 0, cancelled: 0 };
const answer = {
  state: 'succeeded',
  taskCount: 2,
  counts,
  tasks: [
    { number: 0, id: 'a', state: 'succeeded', attempt: 1 },
    { number: 1, id: 'b', state: 'succeeded', attempt: 1 },
  ],
};
const stored = {
  meta: { c2: '2' },
  state: Buffer.from([2, 2]),
  tries: {},
  outputs: { 0: '{"task":"a","nonce":"a1"}', 1: '{"task":"b","nonce":"b1"}' },
  counts: { '0:2': '2' },
  leftovers: { deliveries: 0 },
};
const run = { id: 'r', graph, ackAt: 100, cancelAt: null, seenState: 'succeeded', answer, stored };

function start(task: string, nonce: string, at: number, more: Partial<TaskEvent> = {}): TaskEvent {
  return { e: 'start', run: 'r', task, attempt: 1, pid: 7, at, nonce, inputs: {}, ...more };
}

function end(task: string, nonce: string, at: number, more: Partial<TaskEvent> = {}): TaskEvent {
  return { e: 'end', run: 'r', task, attempt: 1, pid: 7, at, nonce, end: 'succeeded', ...more };
}

const seesA = { inputs: { first: { task: 'a', nonce: 'a1' } } };
const events = [
  start('a', 'a1', 1_000),
  end('a', 'a1', 1_010),
  start('b', 'b1', 1_020, seesA),
  end('b', 'b1', 1_030),
];

const trial = {
  apiUrl: '',
  redisUrl: '',
  namespace: 'runnel',
  dataDir: '/nowhere',
  leaseMs: 8_000,
  deadline: 100_000,
  loadFrom: 0,
  loadTo: 2_000,
  powerLosses: [],
};

function evidenceOf(more: Partial<Evidence> = {}, ofRun: Partial<RunEvidence> = {}): Evidence {
  return {
    trial,
    events,
    faults: [],
    runs: [{ ...run, ...ofRun }],
    keysWithTwoRuns: [],
    remains: {},
    keysAfter: [],
    processes: [],
    ...more,
  };
}

function rulesBrokenBy(more: Partial<Evidence>, ofRun: Partial<RunEvidence> = {}): string[] {
  return [...new Set(judge(evidenceOf(more, ofRun)).violations.map(({ rule }) => rule))];
}

test('finds nothing wrong with a run that went well', () => {
  const verdict = judge(evidenceOf());

  expect(verdict).toMatchObject({ runs: 1, tasks: 2, losses: 0, duplicates: [], violations: [] });
  expect(verdict.longestStallMs).toBe(970);
});

test('misses an acknowledged run that is gone', () => {
  expect(rulesBrokenBy({}, { answer: null, stored: null })).toEqual(['no-run-lost']);
});

test('forgives the loss of a run that was acknowledged right before a power failure, and counts it', () => {
  const verdict = judge(
    evidenceOf({ trial: { ...trial, powerLosses: [1_500] } }, { answer: null, stored: null }),
  );

  expect([verdict.losses, verdict.violations]).toEqual([1, []]);
});

test('does not forgive the loss of an older run', () => {
  const broken = rulesBrokenBy(
    { trial: { ...trial, powerLosses: [60_000] } },
    { answer: null, stored: null },
  );

  expect(broken).toEqual(['no-run-lost']);
});

test('sees a run that did not end', () => {
  const running = { ...answer, state: 'running' };

  expect(rulesBrokenBy({}, { answer: running, seenState: null })).toEqual(['every-run-ends']);
});

test('sees that a key was answered with two runs', () => {
  expect(rulesBrokenBy({ keysWithTwoRuns: ['k'] })).toEqual(['one-run-a-key']);
});

test('sees an end that changed after it was told', () => {
  expect(rulesBrokenBy({}, { seenState: 'failed' })).toEqual(['ends-stay']);
});

test('sees a task that came to another end than planned', () => {
  const planned = graph.map((task) => (task.id === 'b' ? { ...task, ends: ['failed'] } : task));

  expect(rulesBrokenBy({}, { graph: planned })).toEqual(['tasks-end-as-planned']);
});

test('sees an attempt that was counted too often', () => {
  const [a, b] = answer.tasks;
  const tasks = [a, { ...b, attempt: 2 }].filter((task) => task !== undefined);

  const broken = rulesBrokenBy({}, { answer: { ...answer, tasks: tasks as typeof answer.tasks } });

  expect(broken).toEqual(['tasks-end-as-planned', 'every-task-has-its-effect']);
});

test('sees a task that succeeded without having run', () => {
  const broken = rulesBrokenBy({ events: events.slice(0, 2) });

  expect(broken).toEqual(['every-task-has-its-effect', 'one-accepted-attempt']);
});

test('sees that a skipped task ran', () => {
  const planned = graph.map((task) => (task.id === 'a' ? { ...task, ends: ['failed'] } : task));
  const tasks = answer.tasks.map((task) =>
    task.id === 'a'
      ? { ...task, state: 'failed' }
      : { ...task, state: 'upstream-failed', attempt: 0 },
  );

  const broken = rulesBrokenBy({}, { graph: planned, answer: { ...answer, tasks } });

  expect(broken).toContain('skipped-tasks-do-nothing');
});

test('sees a second start that no fault explains', () => {
  const again = [...events, start('b', 'b2', 1_500, seesA), end('b', 'b2', 1_510)];

  expect(rulesBrokenBy({ events: again })).toEqual(['once-without-a-fault']);
});

test('counts a second start after the death of its worker, with the time that it took', () => {
  const faults = [{ fault: 'kill', target: 'worker', pid: 7, from: 1_025, to: 1_025 }];
  const again = [...events.slice(0, 3), start('b', 'b2', 9_525, seesA), end('b', 'b2', 9_530)];
  const outputs = { ...stored.outputs, 1: '{"task":"b","nonce":"b2"}' };

  const { duplicates, violations } = judge(
    evidenceOf({ faults, events: again }, { stored: { ...stored, outputs } }),
  );

  expect(violations).toEqual([]);
  expect(duplicates).toEqual([
    { run: 'r', task: 'b', attempt: 1, starts: 2, cause: 'kill worker', againAfterMs: 8_500 },
  ]);
});

test.each([
  ['of another worker', { fault: 'kill', target: 'worker', pid: 8, from: 1_025, to: 1_025 }],
  ['of a listener', { fault: 'kill', target: 'listener', pid: 7, from: 1_025, to: 1_025 }],
  ['long before', { fault: 'kill', target: 'worker', pid: 7, from: -90_000, to: -90_000 }],
  ['afterwards', { fault: 'kill', target: 'worker', pid: 7, from: 1_600, to: 1_600 }],
])('does not take the death %s for a reason to start again', (_, fault) => {
  const again = [...events, start('b', 'b2', 1_500, seesA), end('b', 'b2', 1_510)];

  expect(rulesBrokenBy({ events: again, faults: [fault] })).toEqual(['once-without-a-fault']);
});

test('sees a child that began before its parent had ended', () => {
  const [startA, endA, startB, endB] = events as [TaskEvent, TaskEvent, TaskEvent, TaskEvent];

  expect(rulesBrokenBy({ events: [startA, startB, endA, endB] })).toEqual(['children-wait']);
});

test('sees a child that began after an end of its parent that was not the accepted one', () => {
  const [startA, endA, startB, endB] = events as [TaskEvent, TaskEvent, TaskEvent, TaskEvent];
  const lost = [start('a', 'a0', 900), end('a', 'a0', 910)];
  const faults = [{ fault: 'kill', target: 'worker', pid: 7, from: 905, to: 905 }];

  const broken = rulesBrokenBy({ events: [...lost, startA, startB, endA, endB], faults });

  expect(broken).toEqual(['children-wait']);
});

test('sees that a child was given an output that is not the accepted one', () => {
  const strange = { inputs: { first: [{ task: 'a', nonce: 'a0' }] } };
  const wrong = events.map((event) =>
    event.e === 'start' && event.task === 'b' ? { ...event, ...strange } : event,
  );

  expect(rulesBrokenBy({ events: wrong })).toEqual(['one-accepted-attempt']);
});

test('sees an output that no start of the task made', () => {
  const outputs = { ...stored.outputs, 1: '{"task":"b","nonce":"b9"}' };

  expect(rulesBrokenBy({}, { stored: { ...stored, outputs } })).toEqual(['one-accepted-attempt']);
});

test.each([
  ['state bytes', { state: Buffer.from([2, 0]) }],
  ['counters of the run', { meta: { c2: '3' } }],
  ['counters of the groups', { counts: { '0:2': '1', '1:2': '2' } }],
])('sees %s that say something else', (_, wrong) => {
  expect(rulesBrokenBy({}, { stored: { ...stored, ...wrong } })).toEqual(['counters-agree']);
});

test.each([
  ['an open delivery', {}, { stored: { ...stored, leftovers: { deliveries: 1 } } }],
  ['a pending entry', { remains: { 'runnel:{r1}:outcomes pending': 1 } }, {}],
])('sees %s after the end', (_, more, ofRun) => {
  expect(rulesBrokenBy(more, ofRun)).toEqual(['nothing-remains']);
});

test('sees keys that outlive their run, and processes', () => {
  expect(rulesBrokenBy({ keysAfter: ['runnel:{r1}:run:r:outputs'] })).toEqual([
    'keys-go-with-their-run',
  ]);
  expect(rulesBrokenBy({ processes: ['12 sleep 300'] })).toEqual(['no-process-left']);
});

test('tells keys that stay from keys that should have gone', () => {
  const keys = [
    'runnel:{r1}:outcomes',
    'runnel:{r1}:deleted',
    'runnel:{store}:workers',
    'runnel:{q.default}:default:meta',
    'runnel:{r1}:run:x:state',
    'runnel:{r1}:times',
  ];

  expect(findKeysTooMany(keys)).toEqual(['runnel:{r1}:run:x:state', 'runnel:{r1}:times']);
});

test('sees what starts after a cancel and a lease', () => {
  const late = [start('a', 'a1', 1_000), end('a', 'a1', 1_010), start('b', 'b1', 9_000, seesA)];
  const tasks = answer.tasks.map((task) =>
    task.id === 'b' ? { ...task, state: 'cancelled' } : task,
  );
  const cancelled = {
    answer: {
      ...answer,
      state: 'cancelled',
      tasks,
      counts: { ...counts, succeeded: 1, cancelled: 1 },
    },
    stored: {
      ...stored,
      meta: { c2: '1', c6: '1' },
      state: Buffer.from([2, 6]),
      counts: { '0:2': '1', '0:6': '1' },
      outputs: { 0: '{"task":"a","nonce":"a1"}' },
    },
    seenState: 'cancelled',
  };

  const at = (cancelAt: number): string[] =>
    rulesBrokenBy({ events: late }, { ...cancelled, cancelAt });

  expect(at(990)).toEqual(['nothing-starts-after-cancel']);
  expect(at(1_005)).toEqual([]);
});

test('works out what must become of each task', () => {
  const task = (id: string, parents: string[], runIf: string, ends = ['succeeded']) => ({
    ...{ id, parents, runIf, ends, executor: 'function' },
  });

  const ends = expectedEnds([
    task('retried', [], 'all-succeeded', ['failed', 'succeeded']),
    task('fails', ['retried'], 'all-succeeded', ['failed']),
    task('below', ['fails'], 'all-succeeded'),
    task('anyway', ['fails', 'below'], 'all-done'),
    task('careful', ['anyway', 'below'], 'none-failed'),
  ]);

  expect(Object.fromEntries(ends)).toEqual({
    retried: { state: 'succeeded', attempt: 2 },
    fails: { state: 'failed', attempt: 1 },
    below: { state: 'upstream-failed', attempt: 0 },
    anyway: { state: 'succeeded', attempt: 1 },
    careful: { state: 'upstream-failed', attempt: 0 },
  });
});

test('reads from the log of the client what was answered under which key', () => {
  const line = { key: 'k', run: '', at: 1, graph: [], state: '' };

  const read = readClientLog([
    { ...line, e: 'submit', graph },
    { ...line, e: 'ack', run: 'r1', at: 5 },
    { ...line, e: 'ack', run: 'r2', at: 6 },
    { ...line, e: 'cancel', run: 'r1', at: 7 },
    { ...line, e: 'final', run: 'r1', state: 'cancelled' },
    { ...line, e: 'ack', run: 'r3', key: 'other' },
    { ...line, e: 'delete', run: 'r3' },
  ]);

  expect(read.keysWithTwoRuns).toEqual(['k']);
  expect(read.runs).toEqual([
    { id: 'r1', graph, ackAt: 5, cancelAt: 7, seenState: 'cancelled' },
    { id: 'r2', graph, ackAt: 6, cancelAt: null, seenState: null },
  ]);
});
