import { decodeOutbox, type OutboxEntry } from './packed.ts';
import { nullable, numberAt, toBytes, toInteger, toList, toText } from './replies.ts';
import { defineScript, type RawReply } from './script.ts';

/** How a run stands after a script: absolute figures, never differences. */
export interface RunProgress {
  readonly state: string;
  readonly finished: number;
  readonly backlog: number;
  /** At most 256 carriers that are not in BullMQ yet. */
  readonly outbox: readonly OutboxEntry[];
}

export const createRun = defineScript(
  'create-run',
  { keys: ['meta', 'submitting'] },
  (raw): { readonly state: string; readonly bodyHash: string } => {
    const [state, bodyHash] = toList(raw);
    return { state: toText(state), bodyHash: bodyHash === undefined ? '' : toText(bodyHash) };
  },
);

/** The further key is the page's target. */
export const writePage = defineScript(
  'write-page',
  { keys: ['meta', 'submitting'], takesMore: true },
  toInteger,
);

export const sealRun = defineScript(
  'seal-run',
  {
    keys: [
      'meta',
      'state',
      'waiting',
      'counts',
      'groupIndex',
      'groupRanges',
      'backlog',
      'submitting',
      'runs',
      'active',
      'demand',
    ],
    preludes: ['packed', 'run'],
    takesMore: true,
  },
  nullable((raw) => {
    const list = toList(raw);
    return { cursor: numberAt(list, 0), nodes: numberAt(list, 1) };
  }),
);

export const startRun = defineScript(
  'start-run',
  { keys: ['meta', 'submitting', 'active'] },
  nullable(toText),
);

export const cutDeliveries = defineScript(
  'cut-deliveries',
  {
    keys: [
      'meta',
      'counts',
      'groupIndex',
      'deliveries',
      'outbox',
      'backlog',
      'tries',
      'active',
      'ended',
      'demand',
    ],
    preludes: ['packed', 'run', 'cut'],
    takesMore: true,
    allowOom: true,
  },
  nullable(toProgress),
);

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
    ],
    preludes: ['packed', 'run'],
    takesMore: true,
    allowOom: true,
  },
  (raw): string | { readonly packed: Buffer; readonly hasOutputs: boolean } => {
    if (Buffer.isBuffer(raw)) return raw.toString();
    const list = toList(raw);
    return { packed: toBytes(list[0]), hasOutputs: numberAt(list, 1) === 1 };
  },
);

export const settleOutcomes = defineScript(
  'settle-outcomes',
  {
    keys: [
      'meta',
      'state',
      'counts',
      'groupIndex',
      'deliveries',
      'outbox',
      'backlog',
      'tries',
      'attempts',
      'failures',
      'outputs',
      'times',
      'demand',
    ],
    preludes: ['packed', 'run'],
    takesMore: true,
    allowOom: true,
  },
  (raw): { readonly accepted: number; readonly duplicates: number } => {
    const list = toList(raw);
    return { accepted: numberAt(list, 0), duplicates: numberAt(list, 1) };
  },
);

export const advanceBacklog = defineScript(
  'advance-backlog',
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
      'active',
      'ended',
      'demand',
    ],
    preludes: ['packed', 'run', 'cut', 'advance'],
    takesMore: true,
    allowOom: true,
  },
  nullable(toProgress),
);

export const returnDelivery = defineScript(
  'return-delivery',
  {
    keys: ['meta', 'state', 'counts', 'groupIndex', 'deliveries', 'outbox', 'demand'],
    preludes: ['packed', 'run'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const reissueDelivery = defineScript(
  'reissue-delivery',
  {
    keys: ['meta', 'state', 'counts', 'groupIndex', 'deliveries', 'outbox', 'demand'],
    preludes: ['packed', 'run'],
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
    ],
    preludes: ['packed', 'run'],
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

export const removeRecord = defineScript(
  'remove-run',
  { keys: ['meta', 'runs', 'submitting', 'active', 'ended', 'demand'], allowOom: true },
  toInteger,
);

export const appendLog = defineScript('append-log', { keys: ['meta', 'logs'] }, toInteger);

function toProgress(raw: RawReply): RunProgress {
  const list = toList(raw);
  return {
    state: toText(list[0]),
    finished: numberAt(list, 1),
    backlog: numberAt(list, 2),
    outbox: decodeOutbox(toBytes(list[3])),
  };
}
