import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure, say } from './record.mjs';

/** `npm ci` on a slow line takes minutes; longer than this and something is wrong. */
const waitAtMostMs = 900_000;

/**
 * Two set-ups in one clone would delete each other's packages: the second waits for the first.
 * Returns what releases the lock.
 */
export async function takeLock(file) {
  const giveUpAt = Date.now() + waitAtMostMs;
  for (let tries = 0; !tryToCreate(file); tries++) {
    const holder = readHolder(file);
    if (holder === null || !isAlive(holder)) {
      rmSync(file, { force: true });
    } else if (Date.now() > giveUpAt) {
      throw new SetupFailure(`process ${holder} has held ${file} for too long: is it stuck?`);
    } else {
      if (tries === 0) say(`waiting for the set-up that process ${holder} is doing`);
      await sleep(200);
    }
  }
  return () => rmSync(file, { force: true });
}

function tryToCreate(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** null where the lock has just gone or was left half-written. */
function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
