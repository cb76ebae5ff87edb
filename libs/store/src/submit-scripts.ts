import { nullable, numberAt, toInteger, toList, toText } from './replies.ts';
import { defineScript } from './script.ts';

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
      'outcomes',
      'events',
      'parentOffsets',
      'parents',
      'childOffsets',
      'children',
      'groups',
      'payload',
      'names',
      'spec',
      'hooks',
    ],
    preludes: ['packed', 'run'],
    takesMore: true,
  },
  nullable((raw): SealAnswer => {
    const list = toList(raw);
    const [first, second] = list;
    return typeof first === 'number'
      ? { kind: 'page', cursor: first, nodes: numberAt(list, 1) }
      : { kind: 'exists', state: toText(first), bodyHash: toText(second) };
  }),
);

/** How far a run is sealed; or what is there, where another submission has its id. */
export type SealAnswer =
  | { readonly kind: 'page'; readonly cursor: number; readonly nodes: number }
  | { readonly kind: 'exists'; readonly state: string; readonly bodyHash: string };

export const startRun = defineScript(
  'start-run',
  { keys: ['meta', 'submitting', 'active', 'outcomes', 'events'] },
  nullable(toText),
);
