import { toBytes, toInteger, toList, toText } from '../replies.ts';
import { defineScript } from '../script.ts';

/** The further key is the hash. */
export const readFields = defineScript(
  'read-fields',
  { keys: ['meta'], takesMore: true },
  (raw): { readonly cursor: string; readonly texts: readonly Buffer[] } => {
    const [cursor, ...texts] = toList(raw);
    return { cursor: toText(cursor), texts: texts.map((text) => toBytes(text)) };
  },
);

export const openCopy = defineScript(
  'open-copy',
  { keys: ['meta', 'submitting', 'copies'] },
  toInteger,
);

export const keepCopy = defineScript(
  'keep-copy',
  { keys: ['meta', 'runs', 'ended', 'copies', 'deleted'], allowOom: true },
  toInteger,
);
