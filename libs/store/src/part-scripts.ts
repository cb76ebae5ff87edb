import { nullable, numberAt, toList, toText } from './replies.ts';
import { defineScript } from './script.ts';

// What befalls single tasks and classes of a run that goes on.

export const beginCancel = defineScript(
  'begin-cancel',
  { keys: ['meta', 'cancel', 'cancels', 'outcomes', 'events'], allowOom: true },
  nullable(toText),
);

export const pageCancel = defineScript(
  'page-cancel',
  {
    keys: [
      ...(['meta', 'state', 'waiting', 'childOffsets', 'children', 'counts'] as const),
      ...(['groupIndex', 'groupRanges', 'deliveries', 'outbox', 'backlog', 'times'] as const),
      ...(['cancel', 'paused', 'parked', 'active', 'ended', 'demand', 'events'] as const),
      'moreChildren',
    ],
    preludes: ['packed', 'run', 'parts', 'advance', 'cancel'],
    takesMore: true,
    allowOom: true,
  },
  nullable((raw) => {
    const list = toList(raw);
    return {
      state: toText(list[0]),
      phase: numberAt(list, 1),
      isVisible: numberAt(list, 2) === 1,
    };
  }),
);

export const pauseParts = defineScript(
  'pause-parts',
  { keys: ['meta', 'paused', 'parked', 'outcomes', 'events'], allowOom: true },
  nullable((raw) => {
    const list = toList(raw);
    return { state: toText(list[0]), changed: numberAt(list, 1) };
  }),
);
