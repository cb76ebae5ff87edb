import type { Translation } from './translate-run.ts';

/** So much is put together before it is handed on. */
const chunkCharacters = 65_536;

/** The spec of a translated run, line by line: its head, then one task a line, in pieces of some lines. */
export function* specLines({
  head,
  entries,
}: Pick<Translation, 'head' | 'entries'>): Generator<string> {
  let text = JSON.stringify(head);
  for (const entry of entries()) {
    text += `\n${JSON.stringify(entry)}`;
    if (text.length < chunkCharacters) continue;
    yield text;
    text = '';
  }
  yield text;
}
