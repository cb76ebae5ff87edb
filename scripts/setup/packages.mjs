import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readRecord, SetupFailure, say, writeRecord } from './record.mjs';

/** True where node_modules is what the lock file says. */
export function arePackagesInPlace(folder) {
  if (!existsSync(join(folder, 'node_modules/.package-lock.json')) || !hasNode(folder))
    return false;
  if (readRecord(folder).packages === lockMark(folder)) return true;
  // Someone may have installed by hand: npm leaves a copy of what it did.
  if (!isInstalledByHand(folder)) return false;
  writeRecord(folder, { ...readRecord(folder), packages: lockMark(folder) });
  return true;
}

export function installPackages(folder) {
  say('packages   npm ci …');
  const startedAt = Date.now();
  // Forgotten first: an `npm ci` that is cut off leaves half of them.
  writeRecord(folder, { ...readRecord(folder), packages: null });
  const npm = spawnSync(
    'npm',
    ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      env: { ...process.env, PATH: pathOutside(folder) },
      stdio: ['ignore', 2, 2],
    },
  );
  if (npm.status !== 0) {
    const why = npm.error ? npm.error.message : `it ended with code ${npm.status}`;
    throw new SetupFailure(`npm ci failed (${why}); its messages are above`);
  }
  if (!hasNode(folder)) {
    throw new SetupFailure(
      'npm ci brought no Node: install scripts must be allowed (npm config set ignore-scripts false)',
    );
  }
  writeRecord(folder, { ...readRecord(folder), packages: lockMark(folder) });
  say(`packages   installed in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

/** A new lock file, or the same clone seen from another machine, needs another install. */
function lockMark(folder) {
  const hash = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json')));
  return `${process.platform}-${process.arch} ${hash.digest('hex')}`;
}

function hasNode(folder) {
  return existsSync(join(folder, 'node_modules/.bin/node'));
}

function isInstalledByHand(folder) {
  const wanted = readPackages(join(folder, 'package-lock.json'));
  const found = readPackages(join(folder, 'node_modules/.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, resolved }]) => {
    if (!path.startsWith('node_modules/')) return true;
    const there = found[path];
    if (there === undefined) return optional === true;
    return there.version === version && there.resolved === resolved;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/**
 * `npm ci` deletes the Node in node_modules, so npm and the install scripts should run on the
 * machine's own where there is one.
 */
function pathOutside(folder) {
  const inside = join(folder, 'node_modules');
  const parts = (process.env.PATH ?? '').split(delimiter);
  const outside = parts.filter((part) => !part.startsWith(inside));
  const hasOwn = outside.some((part) => existsSync(join(part, 'node')));
  return (hasOwn ? outside : parts).join(delimiter);
}
