import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

// A clone whose packages are in place, and a PATH with nothing but what a test puts there.
let clone = '';
let bin = '';
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'runnel-setup-'));
  bin = join(clone, 'bin');
  mkdirSync(bin);
  mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true });
  for (const name of ['setup.mjs', 'setup']) {
    cpSync(join(import.meta.dirname, name), join(clone, 'scripts', name), { recursive: true });
  }
  writeLocks('1.0.0', '1.0.0');
  writeFileSync(join(clone, 'node_modules/.bin/node'), '');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function writeLocks(wanted: string, installed: string): void {
  const lock = (version: string): string =>
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { version, resolved: 'a' } } });
  writeFileSync(join(clone, 'package-lock.json'), lock(wanted));
  writeFileSync(join(clone, 'node_modules/.package-lock.json'), lock(installed));
}

function addProgram(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

function setUp(environment: Readonly<Record<string, string>> = {}) {
  const done = spawnSync(process.execPath, [join(clone, 'scripts/setup.mjs')], {
    encoding: 'utf8',
    env: { PATH: bin, ...environment },
  });
  return { code: done.status, output: done.stderr };
}

test('takes a server from the PATH, remembers it, and has nothing to say the next time', () => {
  addProgram('valkey-server', 'echo "Valkey server v=8.1.0 sha=0"');

  const first = setUp();
  const second = setUp();

  const record = JSON.parse(readFileSync(join(clone, '.runnel/setup.json'), 'utf8'));
  expect(first.code).toBe(0);
  expect(record.server).toEqual({
    way: 'path',
    path: join(bin, 'valkey-server'),
    version: 'Valkey 8.1.0',
  });
  expect(second).toEqual({ code: 0, output: '' });
});

test('writes a token that only its owner can read, beside what is in .env', () => {
  addProgram('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
  writeFileSync(join(clone, '.env'), 'COMPOSE_PROJECT_NAME=river');

  setUp();
  setUp();

  const text = readFileSync(join(clone, '.env'), 'utf8');
  expect(text).toMatch(/^COMPOSE_PROJECT_NAME=river\nRUNNEL_TOKEN=[\w-]{43}\n$/);
  expect(statSync(join(clone, '.env')).mode & 0o777).toBe(0o600);
});

test('refuses a server that is too old and names the ways to get one', () => {
  addProgram('redis-server', 'echo "Redis server v=6.2.7 sha=0"');

  const { code, output } = setUp();

  expect(code).toBe(1);
  expect(output).toContain(`${join(bin, 'redis-server')} is older than 7`);
  expect(output).toContain('wheel: there is no Python with pip');
  expect(output).toContain('apt-get install redis-server');
});

test('installs again when the lock file says something else, and stops where that fails', () => {
  addProgram('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
  addProgram('npm', 'echo "npm was called with $1"; exit 9');
  setUp();
  writeLocks('2.0.0', '1.0.0');

  const { code, output } = setUp();

  expect(code).toBe(1);
  expect(output).toContain('npm was called with ci');
  expect(output).toContain('npm ci failed (it ended with code 9)');
});

test('looks for another server when the one that it remembers is gone', () => {
  addProgram('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
  setUp();
  rmSync(join(bin, 'redis-server'));
  addProgram('valkey-server', 'echo "Valkey server v=9.1.2 sha=0"');

  expect(setUp().output).toContain('Valkey 9.1.2');
});

test('takes over the lock of a set-up that died', () => {
  addProgram('redis-server', 'echo "Redis server v=7.0.15 sha=0"');
  mkdirSync(join(clone, '.runnel'));
  writeFileSync(join(clone, '.runnel/setup.lock'), '4194303');

  expect(setUp().code).toBe(0);
});
