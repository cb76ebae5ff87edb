import type { KeyDoc } from './key-doc.ts';

const untilDeleted = 'until the run is deleted';
const untilEnd = 'empty when the run has ended';

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
