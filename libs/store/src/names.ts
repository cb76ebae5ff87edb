/**
 * A 16-bit hash of a task's id, kept for each node so that a task is found by its id without an
 * index of strings: of 1,000,000 nodes about 16 share a hash, and their payloads decide.
 * FNV-1a, 32 bits, folded (http://www.isthe.com/chongo/tech/comp/fnv/#xor-fold).
 */
export function nameHash(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 16) ^ (hash & 0xff_ff)) & 0xff_ff;
}
