import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { SetupError } from '@runnel/core';
import { z } from 'zod';

/** BullMQ and the scripts need what Redis 7 brought. */
const oldestMajor = 7;

const serverNames = ['redis-server', 'valkey-server'];

/** What `scripts/setup.mjs` leaves behind. */
const setupRecord = z.object({ server: z.object({ path: z.string() }) });

const cloneFolder = resolve(import.meta.dirname, '../../..');

export interface FindServerOptions {
  /** Where `.runnel/setup.json` is looked for; default: the clone that this file is part of. */
  readonly folder?: string;
  /** Default: the PATH of this process. */
  readonly searchPath?: string;
}

/**
 * The Redis (or Valkey) server that set-up chose, else one on the PATH.
 *
 * @throws SetupError where there is none, with the ways to get one.
 */
export function findRedisServer(options: FindServerOptions = {}): string {
  const chosen = readChosen(options.folder ?? cloneFolder);
  if (chosen !== null && isExecutable(chosen)) return chosen;
  const { PATH = '' } = process.env;
  const folders = (options.searchPath ?? PATH).split(delimiter);
  const found = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => serverNames.map((name) => join(folder, name)))
    .find((path) => isExecutable(path) && majorVersion(path) >= oldestMajor);
  if (found !== undefined) return found;
  throw new SetupError(
    `there is no Redis server of version ${oldestMajor} or later here: run "node scripts/setup.mjs" in the clone, install redis-server, or set REDIS_URL to one that runs`,
  );
}

/** A record that is missing or unreadable is the same as none: the PATH is asked instead. */
function readChosen(folder: string): string | null {
  try {
    const text = readFileSync(join(folder, '.runnel/setup.json'), 'utf8');
    return resolve(folder, setupRecord.parse(JSON.parse(text)).server.path);
  } catch {
    return null;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function majorVersion(path: string): number {
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 });
    return Number(/\bv=(\d+)/.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
