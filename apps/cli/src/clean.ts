import { stripVTControlCharacters } from 'node:util';

/** Neither a task nor a name must be able to write to the terminal what it likes. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
}

/** What users named freely, in one line: a name or a tag may have line breaks. */
export function oneLine(text: string): string {
  return clean(text).replace(/[\t\n]+/g, ' ');
}
