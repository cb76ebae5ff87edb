import { toInteger } from './replies.ts';
import { defineScript } from './script.ts';

// What the doctor mends with.

export const repairCounters = defineScript(
  'repair-counters',
  {
    keys: ['meta', 'counts', 'groupIndex', 'demand'],
    preludes: ['packed', 'run', 'repair'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const repairTasks = defineScript(
  'repair-tasks',
  {
    keys: [
      ...(['meta', 'state', 'waiting', 'counts', 'groupIndex', 'groupRanges'] as const),
      ...(['backlog', 'demand'] as const),
    ],
    preludes: ['packed', 'run', 'repair'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const repairReady = defineScript(
  'repair-ready',
  {
    keys: ['meta', 'counts', 'groupIndex', 'demand', 'parked'],
    preludes: ['packed', 'run', 'repair'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const repairDelivery = defineScript(
  'repair-delivery',
  {
    keys: ['meta', 'state', 'counts', 'groupIndex', 'deliveries', 'outbox', 'demand'],
    preludes: ['packed', 'run', 'repair'],
    takesMore: true,
    allowOom: true,
  },
  toInteger,
);

export const repairTimes = defineScript(
  'repair-times',
  { keys: ['state', 'times'], allowOom: true },
  toInteger,
);

export const repairSets = defineScript(
  'repair-sets',
  { keys: ['meta', 'runs', 'submitting', 'active', 'ended'], allowOom: true },
  toInteger,
);

export const repairDemand = defineScript(
  'repair-demand',
  { keys: ['demand'], allowOom: true },
  toInteger,
);
