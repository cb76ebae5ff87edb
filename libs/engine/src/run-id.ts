import { createHash, randomUUID } from 'node:crypto';

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
  return time + letters(randomLetterBytes());
}

/** 11 of the random bytes of a UUID: Node keeps some ready, while `randomBytes` asks for new ones each time. */
function randomLetterBytes(): Buffer {
  const bytes = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  // Bytes 6 and 8 hold the version and the variant.
  return Buffer.concat([bytes.subarray(0, 6), bytes.subarray(9, 14)]);
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
