import { SpecError } from '@runnel/core';
import { translateGenerated } from '@runnel/daggyr';
import { type GeneratedSet, parseDocument, readGeneratedValue } from '@runnel/spec';

/**
 * Reads what a generator in DaggyR's dialect printed: a map or a list of tasks. None at all is no mistake.
 *
 * @throws SpecError with every issue.
 */
export function readDaggyrSet(text: string): GeneratedSet {
  if (text.trim() === '') return readGeneratedValue([]);
  const document = parseDocument(text, 'json');
  const { value } = document;
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) {
    return readGeneratedValue([]);
  }
  const found = translateGenerated(value);
  if (found.kind === 'entries') return readGeneratedValue(found.entries);
  throw new SpecError(found.issues.map((issue) => ({ ...issue, ...document.locate(issue.path) })));
}
