import { fnv1a64Low } from '@runnel/core';

/** Fixed when a store is created: a run's shard is a hash of its id modulo this. */
export const shardCount = 32;

export interface KeyDoc {
  readonly type: 'hash' | 'string' | 'list' | 'zset' | 'stream';
  readonly holds: string;
  readonly lifetime: string;
}

const untilDeleted = 'until the run is deleted';
const untilEnd = 'empty when the run has ended';
const always = 'always';

/** Keys of one run: `<namespace>:{r<shard>}:run:<id>:<name>`. docs/redis-keys.md is made from this. */
export const runKeyDocs = {
  meta: {
    type: 'hash',
    holds: 'state, times, counters, limits, flags, name and tags',
    lifetime: untilDeleted,
  },
  state: {
    type: 'string',
    holds:
      '1 byte a node: 0 not final, 2 succeeded, 3 failed, 4 skipped, 5 upstream-failed, 6 cancelled, 7 delayed, 9 its claimed delivery decides, 10 being cancelled, 11 of a generated set that was replaced, 12 ends with the result that it had there',
    lifetime: untilDeleted,
  },
  waiting: {
    type: 'string',
    holds: 'u32 BE a node: 8 flags of what was seen of its parents, 24 bits of parents not final',
    lifetime: untilDeleted,
  },
  parentOffsets: {
    type: 'string',
    holds: 'u32 LE a node and one more: where its parents start',
    lifetime: untilDeleted,
  },
  parents: {
    type: 'string',
    holds: 'u32 LE an edge: 24 bits of id, 2 of `on`, 2 of the rule',
    lifetime: untilDeleted,
  },
  childOffsets: {
    type: 'string',
    holds: 'u32 LE a node and one more: where its children start',
    lifetime: untilDeleted,
  },
  children: { type: 'string', holds: 'u32 LE an edge, as in parents', lifetime: untilDeleted },
  groups: {
    type: 'hash',
    holds: 'number of a chunk of 64 groups -> deflated JSON',
    lifetime: untilDeleted,
  },
  groupIndex: {
    type: 'string',
    holds: '8 bytes a group: class u32, queue u8, flags u8, largest delivery u16',
    lifetime: untilDeleted,
  },
  groupRanges: {
    type: 'string',
    holds: 'pairs of u32 LE: first id, group; ascending',
    lifetime: untilDeleted,
  },
  payload: {
    type: 'hash',
    holds:
      'number of a chunk of 256 tasks -> deflated: JSON of values and own details, or the texts of tasks that came one by one',
    lifetime: untilDeleted,
  },
  names: {
    type: 'string',
    holds: 'u16 LE a node: hash of its id, to find it by',
    lifetime: untilDeleted,
  },
  counts: {
    type: 'hash',
    holds:
      '`group:state` -> tasks; `group:n`, `group:us` -> attempts measured, their microseconds; `group:e` -> expected microseconds of one',
    lifetime: untilDeleted,
  },
  deliveries: { type: 'hash', holds: 'carrier -> packed delivery', lifetime: untilEnd },
  deaths: { type: 'hash', holds: 'id -> workers that died under it', lifetime: untilDeleted },
  outbox: {
    type: 'zset',
    holds: 'carriers that are not in BullMQ yet, by time',
    lifetime: untilEnd,
  },
  backlog: {
    type: 'list',
    holds: 'accepted ends whose children are not all visited: cursor, ids, states',
    lifetime: untilEnd,
  },
  tries: {
    type: 'hash',
    holds: 'id -> attempt number where it is above 1',
    lifetime: untilDeleted,
  },
  bases: {
    type: 'hash',
    holds: 'id -> attempts made before its last retry: they do not count against its retries',
    lifetime: untilDeleted,
  },
  past: {
    type: 'hash',
    holds: 'id.attempt -> 12 bytes as in attempts: successes of tasks that were run again',
    lifetime: untilDeleted,
  },
  retry: {
    type: 'string',
    holds:
      'u32 LE a task that is being brought back, ascending: 24 bits of id, 8 of what else is said of it',
    lifetime: 'until they are, or the run is ended early',
  },
  cancel: {
    type: 'string',
    holds: 'u32 LE an id: tasks that are being cancelled while the run goes on, ascending',
    lifetime: 'until all are marked, or the run is ended early',
  },
  cancels: {
    type: 'list',
    holds: 'JSON of the last 100 cancels of tasks: when, by whom, of which',
    lifetime: untilDeleted,
  },
  paused: {
    type: 'hash',
    holds: '`g` and a group, `t` and an id -> since when in ms, by whom',
    lifetime: 'until they go on, or the run has ended',
  },
  parked: {
    type: 'list',
    holds: 'entries as in the ready lists: ready tasks that are paused',
    lifetime: untilEnd,
  },
  moreChildren: {
    type: 'hash',
    holds: 'node -> u32 LE an edge, as in children: edges to tasks that were generated later',
    lifetime: untilDeleted,
  },
  moreParents: {
    type: 'hash',
    holds: 'node -> u32 LE an edge, as in parents: edges from tasks that were generated later',
    lifetime: untilDeleted,
  },
  generated: {
    type: 'hash',
    holds:
      'id of a generator -> JSON of what it generated: attempt, first id, number of tasks and of those that were reused, start barrier, gathering barriers and the end barriers behind them, barriers for parents in the run, range of nodes, ranges that edits added',
    lifetime: untilDeleted,
  },
  retiring: {
    type: 'list',
    holds:
      'ranges of generated sets that were replaced: from u32, to u32, cursor u32, 1 where some of it runs u32',
    lifetime: 'until they are retired',
  },
  stash: {
    type: 'list',
    holds:
      'outcomes that came while the run was frozen for an edit: MessagePack of carrier, token, outcomes, extras, dues',
    lifetime: 'until the run goes on',
  },
  resets: {
    type: 'string',
    holds: 'u32 LE a task that an edit sets back: 24 bits of id, 8 of what it was',
    lifetime: 'until they are set back',
  },
  revisions: {
    type: 'hash',
    holds: 'revision -> JSON of when an edit made it, and what became of tasks; none of the first',
    lifetime: untilDeleted,
  },
  attempts: {
    type: 'string',
    holds:
      '12 bytes a node: start u32 ms after creation, duration f32 ms, worker u16, exit u8, signal u8',
    lifetime: untilDeleted,
  },
  failures: {
    type: 'hash',
    holds: 'id.attempt -> JSON of a failed attempt',
    lifetime: untilDeleted,
  },
  outputs: { type: 'hash', holds: 'id -> JSON', lifetime: untilDeleted },
  logs: {
    type: 'hash',
    holds: 'id.attempt -> f64 bytes dropped before the tail, the tail',
    lifetime: untilDeleted,
  },
  events: {
    type: 'stream',
    holds:
      'the feed, at most about 10,000 entries; an entry has the number of its last event: `k`ind, `t`ime, `p`: ids u32, state codes u8, attempts u8 of the tasks that one call ended',
    lifetime: untilDeleted,
  },
  hookLanes: {
    type: 'hash',
    holds: 'lane of a webhook -> JSON: the last event that was delivered, the message under way',
    lifetime: untilDeleted,
  },
  spec: {
    type: 'string',
    holds:
      'deflated: the spec as it was submitted; without its tasks where their texts are the payload',
    lifetime: untilDeleted,
  },
} as const satisfies Record<string, KeyDoc>;

/** Keys of one shard: `<namespace>:{r<shard>}:<name>`. */
export const shardKeyDocs = {
  outcomes: {
    type: 'stream',
    holds: 'outcomes that no listener has settled yet; group `listeners`',
    lifetime: always,
  },
  runs: { type: 'zset', holds: 'sealed runs by creation', lifetime: always },
  submitting: {
    type: 'zset',
    holds: 'runs that are not sealed by their last page; runs only created by their expiry',
    lifetime: always,
  },
  active: {
    type: 'zset',
    holds: 'runs that have started and not ended, by start',
    lifetime: always,
  },
  ended: { type: 'zset', holds: 'runs by their end, for retention', lifetime: always },
  copies: {
    type: 'zset',
    holds: 'archived runs that were brought back to be read, by the time at which they go again',
    lifetime: always,
  },
  deleted: {
    type: 'zset',
    holds:
      'id and time of creation of runs that were deleted, perhaps on their way to the archive; by when',
    lifetime: 'an hour',
  },
  times: {
    type: 'zset',
    holds: '`retry:run:id` by the time at which it is due',
    lifetime: always,
  },
  demand: {
    type: 'hash',
    holds: '`queue@priority` -> runs that have ready tasks or deliveries in it',
    lifetime: always,
  },
  deadLetters: {
    type: 'stream',
    holds: 'entries of outcomes that could not be settled in five tries; capped at 10,000',
    lifetime: always,
  },
  hooks: {
    type: 'zset',
    holds:
      'runs whose webhooks have something to be told, or will have, by when they are looked at',
    lifetime: always,
  },
  hooksFailed: {
    type: 'stream',
    holds: 'messages of webhooks that were given up; capped at about 10,000',
    lifetime: always,
  },
  lease: { type: 'string', holds: 'the listener that owns the shard', lifetime: '5 s, renewed' },
} as const satisfies Record<string, KeyDoc>;

/** One `{ready<queue>}` list for each queue of a run. */
export const readyKeyDoc = {
  type: 'list',
  holds: 'entries of one group: u32 (24 bits of group, 8 of flags) and at most 256 ids',
  lifetime: untilEnd,
} as const satisfies KeyDoc;

/** `{spec@<revision>}` of revisions that were edited since, and `{payload@<revision>}` where that has the texts of tasks. */
export const revisionKeyDoc = {
  type: 'string',
  holds:
    'the spec of an earlier revision; where its tasks came one by one, `payload@<revision>` has their texts',
  lifetime: 'until the run is deleted, or has twenty newer ones',
} as const satisfies KeyDoc;

/** Keys of the whole store. */
export const storeKeyDocs = {
  store: { type: 'hash', holds: 'version of the layout and number of shards', lifetime: always },
  workers: {
    type: 'hash',
    holds: 'worker -> JSON of what it serves, renewed every second, gone 10 s after its last sign',
    lifetime: always,
  },
  listeners: {
    type: 'zset',
    holds: 'listener -> its last sign, to share out the shards',
    lifetime: always,
  },
  workerNumbers: {
    type: 'hash',
    holds: 'number mod 65,536 -> name of a worker, for attempts',
    lifetime: always,
  },
  runNumbers: {
    type: 'zset',
    holds: 'runs by their number, for clients that know no other ids (DaggyR)',
    lifetime: 'until a list of runs finds many that are gone',
  },
  nextRunNumber: { type: 'string', holds: 'the next number of a run', lifetime: always },
  fence: {
    type: 'string',
    holds: 'nothing: it is written so that `WAIT` has something to wait for (mode `ha` only)',
    lifetime: always,
  },
} as const satisfies Record<string, KeyDoc>;

export type RunKey = keyof typeof runKeyDocs;
export type ShardKey = keyof typeof shardKeyDocs;
export type StoreKey = keyof typeof storeKeyDocs;
export type ScriptKey = RunKey | ShardKey;
export type KeyNames = Readonly<Record<ScriptKey, string>>;

/** The shard that a run lives in: 0 … 31. */
export function shardOf(runId: string): number {
  // What is written for an edit of a run lies beside it: `<run>~<token>`.
  return fnv1a64Low(runId.split('~', 1)[0] ?? runId) % shardCount;
}

export function shardTag(namespace: string, shard: number): string {
  return `${namespace}:{r${shard}}`;
}

export function shardKey(namespace: string, shard: number, name: ShardKey): string {
  return `${shardTag(namespace, shard)}:${name}`;
}

export function storeKey(namespace: string, name: StoreKey): string {
  return `${namespace}:{store}:${name}`;
}

/** Every key that belongs to a run or to its shard, spelled out. */
export function keysOf(namespace: string, runId: string): KeyNames {
  const tag = shardTag(namespace, shardOf(runId));
  const names: Record<string, string> = {};
  for (const name of Object.keys(runKeyDocs)) names[name] = `${tag}:run:${runId}:${name}`;
  for (const name of Object.keys(shardKeyDocs)) names[name] = `${tag}:${name}`;
  return names as unknown as KeyNames; // every key of both tables was just set
}

/** The ready list of one queue of a run. */
export function readyKey(namespace: string, runId: string, queue: number): string {
  return `${shardTag(namespace, shardOf(runId))}:run:${runId}:ready${queue}`;
}

/** Specs of so many revisions before the last can be read. */
export const keptSpecs = 20;

/** What is kept of the spec of an earlier revision. */
export function revisionKey(
  namespace: string,
  runId: string,
  { part, revision }: { readonly part: 'spec' | 'payload'; readonly revision: number },
): string {
  return `${shardTag(namespace, shardOf(runId))}:run:${runId}:${part}@${revision}`;
}

/** As `readyKey`, from the run's `meta` key. */
export function readyKeyBeside(metaKey: string, queue: number): string {
  return `${metaKey.slice(0, -'meta'.length)}ready${queue}`;
}

/** Followers of a run's logs and of its end listen here; messages are hints, never the truth. */
export function runChannel(namespace: string, runId: string): string {
  return `${namespace}:run:${runId}`;
}

/** On which a cancel is told to every worker at once. */
export function cancelChannel(namespace: string): string {
  return `${namespace}:cancel`;
}

/** On which an edit is told to every worker at once: when the run is frozen, and when it has its new spec. */
export function editChannel(namespace: string): string {
  return `${namespace}:edit`;
}

/** On which a cancel of tasks is told to every worker at once. */
export function cancelTasksChannel(namespace: string): string {
  return `${namespace}:cancel-tasks`;
}

/** On which a pause is told to every worker at once. */
export function pauseChannel(namespace: string): string {
  return `${namespace}:pause`;
}
