import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeSettings } from './describe-settings.ts';
import { requireTokenBeyondLoopback } from './exposure.ts';
import { loadSettings, type SettingsRequest } from './settings.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'runnel-settings-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(request: SettingsRequest = {}) {
  return loadSettings({ env: {}, cwd, ...request });
}

function failure(request: SettingsRequest): string {
  try {
    load(request);
  } catch (error: unknown) {
    return String(error);
  }
  return 'loaded';
}

test('has a default for everything', () => {
  const { settings, origins } = load();

  expect(settings).toMatchObject({
    redisUrl: 'redis://127.0.0.1:6379',
    namespace: 'runnel',
    host: '127.0.0.1',
    port: 2503,
    token: null,
    dataDir: join(cwd, '.runnel/data'),
    waitConcurrency: 1000,
    pools: ['default'],
    knownPools: { default: { capacity: null } },
    executors: [],
    keepMs: 86_400_000,
    archive: 'sqlite',
    archiveKeepMs: 7_776_000_000,
    archiveMost: null,
    maxTasks: 2_000_000,
    maxBodyBytes: 67_108_864,
    logTailBytes: 65_536,
    graceMs: 30_000,
    killGraceMs: 5_000,
    maxDeaths: 3,
    logLevel: 'info',
    publicUrl: null,
    healthHost: '127.0.0.1',
    healthPort: 0,
  });
  expect(origins.port).toEqual({ kind: 'default', name: 'default' });
});

test('takes a flag before a variable, a variable before the file, the file before the default', () => {
  writeFileSync(join(cwd, 'runnel.yaml'), 'port: 1\nhost: 127.0.0.3\nkeep: 1h\n');

  const { settings, origins } = load({
    flags: { port: '3' },
    env: { RUNNEL_PORT: '2', RUNNEL_HOST: '127.0.0.2' },
  });

  expect([settings.port, settings.host, settings.keepMs]).toEqual([3, '127.0.0.2', 3_600_000]);
  expect([origins.port.name, origins.host.name, origins.keepMs.name, origins.token.name]).toEqual([
    '--port',
    'RUNNEL_HOST',
    `${join(cwd, 'runnel.yaml')}: keep`,
    'default',
  ]);
});

test('names everything that is wrong at once, with the place of each', () => {
  writeFileSync(join(cwd, 'runnel.yaml'), 'grace: 30\nprot: 80\nmaxTasks: 99999999\n');

  const message = failure({
    flags: { logLevel: 'loud' },
    env: { RUNNEL_PORT: 'eighty', RUNNEL_REDIS_URL: 'http://u:secret@example.org' },
  });

  const file = join(cwd, 'runnel.yaml');
  expect(message.split('\n').slice(1)).toEqual([
    `  ${file}: prot: there is no such setting (did you mean "port"?)`,
    '  RUNNEL_REDIS_URL: must be an address such as redis://127.0.0.1:6379/0 or redis-sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster or redis-cluster://10.0.0.1:6379,10.0.0.2:6379',
    '  RUNNEL_PORT: "eighty" must be a whole number from 0 to 65535',
    `  ${file}: maxTasks: 99999999 must be a whole number from 1 to 16777216`,
    `  ${file}: grace: 30 has no unit: write "30s" for seconds or "30ms"`,
    '  --log-level: "loud" must be one of trace, debug, info, warn, error, fatal, silent',
  ]);
});

test('resolves paths of a file from its folder, others from where the process runs', () => {
  mkdirSync(join(cwd, 'etc'));
  writeFileSync(
    join(cwd, 'etc/runnel.json'),
    JSON.stringify({ dataDir: 'data', functions: ['./mine.ts', '@acme/functions'] }),
  );

  const { settings } = load({
    env: { RUNNEL_CONFIG: 'etc/runnel.json', RUNNEL_EXECUTORS: './slow.ts, fast.mjs' },
  });

  expect(settings.dataDir).toBe(join(cwd, 'etc/data'));
  expect(settings.functions).toEqual([join(cwd, 'etc/mine.ts'), '@acme/functions']);
  expect(settings.executors).toEqual([join(cwd, 'slow.ts'), join(cwd, 'fast.mjs')]);
});

test('says which settings file is missing', () => {
  expect(failure({ flags: { config: 'nowhere.yaml' } })).toContain(
    '--config: there is no file nowhere.yaml',
  );
  expect(failure({ env: { RUNNEL_CONFIG: 'gone.yaml' } })).toContain(
    'RUNNEL_CONFIG: there is no file gone.yaml',
  );
});

test('reports a file that is no map of settings', () => {
  writeFileSync(join(cwd, 'runnel.yaml'), '- port\n');

  expect(failure({})).toContain('must be a map of settings');
});

test('takes an empty variable for one that is not set, and REDIS_URL after RUNNEL_REDIS_URL', () => {
  const { settings } = load({
    env: { RUNNEL_TOKEN: '', RUNNEL_REDIS_URL: '', REDIS_URL: 'rediss://redis:6380/2' },
  });

  expect([settings.token, settings.redisUrl]).toEqual([null, 'rediss://redis:6380/2']);
});

test('reads pools as a list with capacities or as a map', () => {
  writeFileSync(join(cwd, 'runnel.yaml'), 'knownPools: { gpu: { capacity: 4 }, small: }\n');

  const fromFile = load();
  const fromEnv = load({ env: { RUNNEL_KNOWN_POOLS: 'gpu:4,small', RUNNEL_POOLS: 'gpu, big' } });

  const pools = { default: { capacity: null }, gpu: { capacity: 4 }, small: { capacity: null } };
  expect(fromFile.settings.knownPools).toEqual(pools);
  expect(fromEnv.settings.pools).toEqual(['gpu', 'big']);
  expect(fromEnv.settings.knownPools).toEqual({ ...pools, big: { capacity: null } });
  expect(failure({ env: { RUNNEL_KNOWN_POOLS: 'gpu:none' } })).toContain(
    'the capacity of gpu must be a whole number from 1',
  );
});

test('warns of a variable that looks like a misspelled setting and lets others be', () => {
  const { warnings } = load({
    env: {
      RUNNEL_CONCURENCY: '4',
      RUNNEL_INPUTS: '/tmp/in',
      RUNNEL_SECRET_S: 'a value',
      RUNNEL_SOMETHING: 'else',
    },
  });

  expect(warnings).toEqual([
    'RUNNEL_CONCURENCY is not a setting (did you mean "RUNNEL_CONCURRENCY"?)',
  ]);
});

test('takes the directory of secrets from where the setting stands', () => {
  expect(load({}).settings.secretsDir).toBeNull();
  expect(load({ env: { RUNNEL_SECRETS: '/run/secrets' } }).settings.secretsDir).toBe(
    '/run/secrets',
  );
});

test('describes every setting with its origin and without secrets', () => {
  const loaded = load({
    env: { RUNNEL_TOKEN: 'a-very-secret-token', REDIS_URL: 'redis://app:hidden@redis:6379' },
    flags: { grace: '90s' },
  });

  const text = describeSettings(loaded);

  expect(text).toMatch(/^token +\*\*\* +RUNNEL_TOKEN$/m);
  expect(text).toMatch(/^redisUrl +redis:\/\/app:\*\*\*@redis:6379 +REDIS_URL$/m);
  expect(text).toMatch(/^grace +90s +--grace$/m);
  expect(text).toMatch(/^maxBody +64MB +default$/m);
  expect(text).not.toMatch(/very-secret|hidden/);
});

test('does not repeat a secret in an error', () => {
  expect(failure({ env: { RUNNEL_TOKEN: 'has a space' } })).not.toContain('has a space');
});

test('refuses to be open to other machines without a token', () => {
  const open = load({ env: { RUNNEL_HOST: '0.0.0.0' } }).settings;
  const guarded = load({ env: { RUNNEL_HOST: '0.0.0.0', RUNNEL_TOKEN: 'token' } }).settings;

  expect(() => requireTokenBeyondLoopback(open)).toThrow('set RUNNEL_TOKEN');
  expect(() => requireTokenBeyondLoopback(guarded)).not.toThrow();
  expect(() => requireTokenBeyondLoopback(load().settings)).not.toThrow();
});

test('an archive is a word or a database, and what it keeps has an end or none', () => {
  const read = (env: Readonly<Record<string, string>>) => load({ env }).settings;

  expect(read({ RUNNEL_ARCHIVE: 'none' }).archive).toBe('none');
  expect(read({ RUNNEL_ARCHIVE: 'postgres://u:p@h/d' }).archive).toBe('postgres://u:p@h/d');
  expect(read({ RUNNEL_ARCHIVE_KEEP: 'forever' }).archiveKeepMs).toBeNull();
  expect(read({ RUNNEL_KEEP: '0' }).keepMs).toBe(0);
  const wrong = failure({
    env: { RUNNEL_ARCHIVE: 'mysql://u:secret@h/d', RUNNEL_ARCHIVE_MOST: '0' },
  });
  expect(wrong).toContain('RUNNEL_ARCHIVE: must be sqlite, none, or the address');
  expect(wrong).toContain('RUNNEL_ARCHIVE_MOST: "0" must be a whole number from 1');
  expect(wrong).not.toContain('secret');
});
