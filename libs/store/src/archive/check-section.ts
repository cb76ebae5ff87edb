import { keyTypeOfRevision } from '../revision-keys.ts';
import { runKeyDocs } from '../run-keys.ts';
import { type RunSection, unknownKey } from './sections.ts';

/** Redis has no longer strings. */
const mostStringBytes = 536_870_912;
const docs: Readonly<Record<string, { readonly type: string }>> = runKeyDocs;

/**
 * Whether a section is what was read of such a key once. Of the archive's own they are; one that comes from
 * elsewhere may be anything. Throws where it is not.
 */
export function checkSection(section: RunSection): void {
  const { key, kind } = section;
  const type = Object.hasOwn(docs, key) ? docs[key]?.type : keyTypeOfRevision(key);
  // The record is not among the sections.
  if (type === undefined || key === 'meta') throw unknownKey(key);
  if (kind !== type) throw new Error(`the key ${key} is a ${type}, not a ${kind}`);
  if (kind === 'hash' && section.texts.length % 2 !== 0) {
    throw new Error(`a field of the key ${key} has no value`);
  }
  if (kind !== 'string') return;
  const { offset, total, bytes } = section;
  if (total > mostStringBytes || offset + bytes.length > total) {
    throw new Error(`a page of the key ${key} lies outside of it`);
  }
}
