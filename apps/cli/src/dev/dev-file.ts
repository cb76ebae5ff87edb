import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { isAlive } from './is-alive.ts';

const devRecord = z.object({
  v: z.literal(1),
  url: z.url(),
  pid: z.int(),
  /** Where the server asks for one; the file can be read by its owner alone. */
  token: z.string().nullable(),
});
export type DevRecord = z.infer<typeof devRecord>;

/** Tells other commands in this folder where `runnel dev` is. */
export function writeDevFile(folder: string, record: Omit<DevRecord, 'v'>): Disposable {
  const file = devFile(folder);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify({ v: 1, ...record })}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]: () => {
      if (readRecord(file)?.pid === record.pid) rmSync(file, { force: true });
    },
  };
}

/** null where no `runnel dev` of this folder is alive. */
export function readDevFile(folder: string): DevRecord | null {
  const record = readRecord(devFile(folder));
  return record !== null && isAlive(record.pid) ? record : null;
}

function devFile(folder: string): string {
  return join(folder, '.runnel/dev.json');
}

function readRecord(file: string): DevRecord | null {
  try {
    return devRecord.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not there, or cut off by a crash: nobody to talk to either way.
    return null;
  }
}
