/** PostgreSQL keeps no more than 2,700 bytes in one entry of an index: a key and a value. */
const mostLetters = 400;

/**
 * A text as it is searched by: what no database takes (zeros, halves of characters) is replaced, and one
 * that is longer than an index takes is cut. Such a one is found by how it begins.
 */
export function searchable(text: string): string {
  return text.slice(0, mostLetters).toWellFormed().replaceAll('\0', '\ufffd');
}
