import { randomFillSync } from 'node:crypto';
import { tokenBytes } from '@runnel/store';

const pool = Buffer.alloc(512 * tokenBytes);
let used = pool.length;

/** A random token for a claim. Random bytes are drawn many at a time: a draw costs more than a claim's own work. */
export function nextToken(): Buffer {
  if (used >= pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += tokenBytes;
  return Buffer.from(pool.subarray(used - tokenBytes, used));
}
