import { nullable, numberAt, toList, toText } from './replies.ts';
import { defineScript } from './script.ts';

export const beginRetry = defineScript(
  'begin-retry',
  { keys: ['meta', 'retry', 'active', 'ended', 'outcomes', 'hooks'] },
  nullable(toText),
);

export const pageRetry = defineScript(
  'page-retry',
  {
    keys: [
      ...(['meta', 'state', 'waiting', 'childOffsets', 'children', 'parentOffsets'] as const),
      ...(['parents', 'counts', 'groupIndex', 'groupRanges', 'backlog', 'tries'] as const),
      ...(['bases', 'attempts', 'past', 'outputs', 'deaths', 'retry'] as const),
      ...(['active', 'ended', 'demand', 'events', 'paused', 'parked'] as const),
      ...(['moreChildren', 'moreParents', 'generated'] as const),
    ],
    preludes: ['packed', 'run', 'advance', 'retry'],
    takesMore: true,
    allowOom: true,
  },
  nullable((raw) => {
    const list = toList(raw);
    return { state: toText(list[0]), phase: numberAt(list, 1) };
  }),
);
