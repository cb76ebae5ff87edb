import { type Delivery, decodeDelivery, decodeOutbox, type OutboxEntry } from './packed.ts';
import { nullable, numberAt, toBytes, toInteger, toList, toText } from './replies.ts';
import { defineScript, type RawReply } from './script.ts';

export { keepCopy, openCopy, readFields } from './archive/copy-scripts.ts';
export { beginEdit, pageEdit, swapRevision } from './edit-scripts.ts';
export {
  appendTasks,
  carryResults,
  dropResults,
  wipeResults,
  writeGenerated,
} from './growth/scripts.ts';
export { moveHook, restHooks, retryHook } from './hook-scripts.ts';
export { beginCancel, pageCancel, pauseParts } from './part-scripts.ts';
export {
  repairCounters,
  repairDelivery,
  repairDemand,
  repairReady,
  repairSets,
  repairTasks,
  repairTimes,
} from './repair-scripts.ts';
export { beginRetry, pageRetry } from './retry-scripts.ts';
export { digestRuns } from './search/known-runs.ts';
export { createRun, type SealAnswer, sealRun, startRun, writePage } from './submit-scripts.ts';

/** What a turn did, and how the run stands after it: absolute figures, never differences. */
export interface TurnAnswer {
  readonly state: string;
  readonly finished: number;
  /** What another turn has to go on with: ends whose children are not all visited, more to be cut. 0: nothing. */
  readonly unfinished: number;
  /** Carriers to be put into BullMQ: what the turn cut, or at most 256 of all that wait. */
  readonly outbox: readonly OutboxEntry[];
  readonly accepted: number;
  readonly duplicates: number;
  /** Deliveries that the caller may start without a claim if it gets their jobs. */
  readonly reserved: readonly Delivery[];
  /** False where no task of the run has handed anything on so far; told where something was reserved. */
  readonly hasOutputs: boolean;
  /** As RunFacts.shape: of a higher one than was read, tasks may be unknown. */
  readonly shape: number;
}

export const claimDelivery = defineScript(
  'claim-delivery',
  {
    keys: [
      'meta',
      'state',
      'counts',
      'groupIndex',
      'deliveries',
      'deaths',
      'outbox',
      'backlog',
      'failures',
      'outputs',
      'demand',
      'events',
      'paused',
    ],
    preludes: ['packed', 'run', 'parts'],
    takesMore: true,
    allowOom: true,
  },
  (raw): string | ClaimedRecord => {
    if (Buffer.isBuffer(raw)) return raw.toString();
    const list = toList(raw);
    return {
      packed: toBytes(list[0]),
      hasOutputs: numberAt(list, 1) === 1,
      shape: numberAt(list, 2),
      needsTurn: numberAt(list, 3) === 1,
    };
  },
);

interface ClaimedRecord {
  readonly packed: Buffer;
  readonly hasOutputs: boolean;
  readonly shape: number;
  readonly needsTurn: boolean;
}

export const takeTurn = defineScript(
  'take-turn',
  {
    keys: [
      'meta',
      'state',
      'waiting',
      'childOffsets',
      'children',
      'counts',
      'groupIndex',
      'groupRanges',
      'deliveries',
      'outbox',
      'backlog',
      'tries',
      'attempts',
      'failures',
      'outputs',
      'times',
      'active',
      'ended',
      'demand',
      'events',
      'paused',
      'parked',
      'moreChildren',
      'retiring',
      'stash',
      'retry',
      'cancel',
    ],
    preludes: ['packed', 'run', 'parts', 'cut', 'settle', 'advance', 'grow'],
    takesMore: true,
    allowOom: true,
  },
  nullable(toTurn),
);

export const returnDelivery = defineScript(
  'return-delivery',
  {
    keys: [
      ...(['meta', 'state', 'counts', 'groupIndex', 'deliveries', 'outbox', 'demand'] as const),
      ...(['backlog', 'events'] as const),
    ],
    preludes: ['packed', 'run', 'parts'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const reissueDelivery = defineScript(
  'reissue-delivery',
  {
    keys: [
      ...(['meta', 'state', 'counts', 'groupIndex', 'deliveries', 'outbox', 'demand'] as const),
      ...(['backlog', 'events', 'stash'] as const),
    ],
    preludes: ['packed', 'run', 'parts'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const releaseDelayed = defineScript(
  'release-delayed',
  {
    keys: ['meta', 'state', 'counts', 'groupIndex', 'groupRanges', 'times', 'demand'],
    preludes: ['packed', 'run'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const haltRun = defineScript(
  'halt-run',
  {
    keys: [
      'meta',
      'state',
      'counts',
      'groupIndex',
      'groupRanges',
      'deliveries',
      'outbox',
      'backlog',
      'submitting',
      'active',
      'ended',
      'demand',
      'retry',
      'events',
      'cancel',
      'paused',
      'parked',
    ],
    preludes: ['packed', 'run', 'parts'],
    takesMore: true,
    allowOom: true,
  },
  nullable((raw) => {
    const list = toList(raw);
    return {
      state: toText(list[0]),
      isPaging: numberAt(list, 1) === 1,
      began: numberAt(list, 2) === 1,
    };
  }),
);

export const pauseRun = defineScript(
  'pause-run',
  {
    keys: ['meta', 'demand', 'outcomes', 'events'],
    preludes: ['packed', 'run'],
    takesMore: true,
    allowOom: true,
  },
  nullable((raw) => {
    const list = toList(raw);
    return { state: toText(list[0]), isChanged: numberAt(list, 1) === 1 };
  }),
);

/** The further keys are all others of the run. */
export const removeRecord = defineScript(
  'remove-run',
  {
    keys: ['meta', 'runs', 'submitting', 'active', 'ended', 'demand', 'copies', 'deleted', 'hooks'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const appendLog = defineScript('append-log', { keys: ['meta', 'logs'] }, toInteger);

function toTurn(raw: RawReply): TurnAnswer {
  const list = toList(raw);
  const reserved = toList(list[6] ?? null);
  return {
    state: toText(list[0]),
    finished: numberAt(list, 1),
    unfinished: numberAt(list, 2),
    outbox: decodeOutbox(toBytes(list[3])),
    accepted: numberAt(list, 4),
    duplicates: numberAt(list, 5),
    reserved: reserved.flatMap((carrier, index) =>
      index % 2 === 0 ? [decodeDelivery(toInteger(carrier), toBytes(reserved[index + 1]))] : [],
    ),
    hasOutputs: numberAt(list, 7) === 1,
    shape: numberAt(list, 8),
  };
}
