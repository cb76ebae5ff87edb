import { toInteger, toText } from '../replies.ts';
import { defineScript } from '../script.ts';

/** One word; see append-tasks.lua. */
export const appendTasks = defineScript(
  'append-tasks',
  {
    keys: [
      ...(['meta', 'state', 'waiting', 'parentOffsets', 'parents', 'childOffsets'] as const),
      ...(['children', 'counts', 'groups', 'groupIndex', 'groupRanges', 'payload'] as const),
      ...(['names', 'deliveries', 'backlog', 'generated', 'moreChildren', 'moreParents'] as const),
      ...(['retiring', 'active', 'ended', 'demand', 'outcomes', 'events'] as const),
    ],
    preludes: ['packed', 'run', 'advance', 'retry', 'grow', 'append', 'outer'],
    takesMore: true,
  },
  toText,
);

const resultKeys = ['past', 'failures', 'outputs', 'logs'] as const;

/** How many pairs were done, in digits, or a word; see carry-results.lua. */
export const carryResults = defineScript(
  'carry-results',
  {
    keys: ['meta', 'deliveries', 'attempts', 'tries', 'bases', ...resultKeys],
    preludes: ['packed', 'append', 'results'],
  },
  toText,
);

/** One word; see wipe-results.lua. */
export const wipeResults = defineScript(
  'wipe-results',
  {
    keys: ['meta', 'deliveries', 'attempts', 'tries', 'bases', ...resultKeys],
    preludes: ['packed', 'append', 'results'],
    allowOom: true,
  },
  toText,
);

/** See drop-results.lua. */
export const dropResults = defineScript(
  'drop-results',
  {
    keys: ['meta', 'tries', 'bases', ...resultKeys],
    preludes: ['packed', 'results'],
    allowOom: true,
  },
  toInteger,
);

/** One word; see write-generated.lua. */
export const writeGenerated = defineScript(
  'write-generated',
  {
    keys: [
      ...(['meta', 'state', 'waiting', 'parentOffsets', 'parents', 'childOffsets'] as const),
      ...(['children', 'payload', 'names', 'deliveries'] as const),
    ],
    preludes: ['packed', 'append'],
  },
  toText,
);
