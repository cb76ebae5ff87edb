import type { KeyDoc } from './key-doc.ts';

const always = 'always';

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
    lifetime: 'until the run is neither here nor in the archive: looked at each hour',
  },
  nextRunNumber: { type: 'string', holds: 'the next number of a run', lifetime: always },
  fence: {
    type: 'string',
    holds: 'nothing: it is written so that `WAIT` has something to wait for (mode `ha` only)',
    lifetime: always,
  },
} as const satisfies Record<string, KeyDoc>;
