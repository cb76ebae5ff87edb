import { createHash, randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * 20 characters of Crockford's base32: 9 of time, 11 random. Short, because a BullMQ job id over 31
 * characters doubles the job's memory.
 */
export function newRunId(now: number): string {
  let time = '';
  for (let rest = now, index = 0; index < 9; index++) {
    time = alphabet.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  return time + letters(randomBytes(11));
}

/** The id of a run that is submitted under an idempotency key: the same for the same client and key. */
export function runIdOfKey(client: string, key: string): string {
  return letters(
    createHash('sha256')
      .update(JSON.stringify([client, key]))
      .digest()
      .subarray(0, 20),
  );
}

function letters(bytes: Buffer): string {
  return [...bytes].map((byte) => alphabet.charAt(byte % 32)).join('');
}
