import { nullable, toText } from './replies.ts';
import { defineScript } from './script.ts';

// What an edit of a run is made with.

export const beginEdit = defineScript('begin-edit', { keys: ['meta'] }, nullable(toText));

/** The further keys are pairs of a target and what goes there; the first is the record of the new revision. */
export const swapRevision = defineScript(
  'swap-revision',
  {
    keys: [
      ...(['meta', 'active', 'ended', 'submitting', 'demand', 'outcomes', 'events'] as const),
      ...(['backlog', 'resets', 'deliveries', 'outbox', 'revisions', 'hooks'] as const),
    ],
    takesMore: true,
    allowOom: true,
  },
  nullable(toText),
);

export const pageEdit = defineScript(
  'page-edit',
  {
    keys: [
      ...(['meta', 'tries', 'bases', 'attempts', 'past', 'outputs', 'deaths'] as const),
      ...(['times', 'resets', 'outcomes'] as const),
    ],
    preludes: ['packed', 'run', 'advance', 'retry'],
    takesMore: true,
    allowOom: true,
  },
  nullable(toText),
);
