import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something that the person at the keyboard has to put right; its message is all they see. */
export class SetupFailure extends Error {}

/** Progress goes to standard error: the output of `npm test` and others is someone else's. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** What earlier runs of set-up did; nothing where that is unknown. */
export function readRecord(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, '.runnel/setup.json'), 'utf8'));
  } catch {
    return {};
  }
}

export function writeRecord(folder, record) {
  const file = join(folder, '.runnel/setup.json');
  mkdirSync(join(folder, '.runnel'), { recursive: true });
  // Renamed into place, so that nobody reads half of it.
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
