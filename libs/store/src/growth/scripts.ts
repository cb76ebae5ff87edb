import { toText } from '../replies.ts';
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
