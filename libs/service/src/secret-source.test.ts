import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretError } from '@runnel/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecretSource } from './secret-source.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runnel-secrets-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

function source(env: Record<string, string> = {}, from: string | null = dir) {
  return createSecretSource({ worker: 'w1', dir: from, env });
}

/** What the rejection says. */
async function refusal(reading: Promise<string>): Promise<string> {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SecretError);
  return error instanceof Error ? error.message : '';
}

test.each([
  ['value', 'value'],
  ['value\n', 'value'],
  ['value\r\n', 'value'],
  ['two\nlines\n\n', 'two\nlines\n'],
  ['  as it is "\'`$ \t', '  as it is "\'`$ \t'],
  ['\u{feff}日本', '\u{feff}日本'],
  ['', ''],
])('reads the file %j as %j', async (text, expected) => {
  await writeFile(join(dir, 'DB'), text);

  expect(await source().read('DB')).toBe(expected);
});

test('looks into the directory, then into the file of a variable, then into a variable', async () => {
  const file = join(dir, 'elsewhere');
  await writeFile(file, 'by path\n');
  await writeFile(join(dir, 'BOTH'), 'in the directory');
  const env = {
    RUNNEL_SECRET_BOTH_FILE: file,
    RUNNEL_SECRET_BOTH: 'in a variable',
    RUNNEL_SECRET_PATH_FILE: file,
    RUNNEL_SECRET_PATH: 'in a variable',
    RUNNEL_SECRET_PLAIN: 'in a variable',
  };

  expect(await source(env).read('BOTH')).toBe('in the directory');
  expect(await source(env, null).read('BOTH')).toBe('by path');
  expect(await source(env).read('PATH')).toBe('by path');
  expect(await source(env).read('PLAIN')).toBe('in a variable');
});

test('finds the new value when a file has changed', async () => {
  const secrets = source();
  await writeFile(join(dir, 'v1'), 'old');
  await writeFile(join(dir, 'v2'), 'new');
  await symlink('v1', join(dir, 'DB'));
  const before = await secrets.read('DB');

  await rm(join(dir, 'DB'));
  await symlink('v2', join(dir, 'DB'));

  expect([before, await secrets.read('DB')]).toEqual(['old', 'new']);
});

test('says who looked where', async () => {
  expect(await refusal(source().read('DB'))).toBe(
    `the worker w1 has no secret "DB": there is no file ${dir}/DB, neither RUNNEL_SECRET_DB_FILE nor RUNNEL_SECRET_DB is set`,
  );
  expect(await refusal(source({}, null).read('DB'))).toContain('RUNNEL_SECRETS names no directory');
});

test('does not pass over what is there and can not be used', async () => {
  await writeFile(join(dir, 'BINARY'), Buffer.from([0xff, 0xfe, 0x41]));
  await writeFile(join(dir, 'LARGE'), 'x'.repeat(65_537));
  await symlink('.', join(dir, 'FOLDER'));
  const env = { RUNNEL_SECRET_GONE_FILE: join(dir, 'nothing'), RUNNEL_SECRET_GONE: 'a value' };

  expect(await refusal(source().read('BINARY'))).toContain('is not UTF-8 text');
  expect(await refusal(source().read('LARGE'))).toContain('more than 65536 bytes');
  expect(await refusal(source().read('FOLDER'))).toContain('is not a regular file');
  expect(await refusal(source(env).read('GONE'))).toMatch(/GONE_FILE names .*does not exist$/);
});

test('takes the largest allowed value', async () => {
  await writeFile(join(dir, 'LARGE'), `${'x'.repeat(65_536)}\n`);

  expect(await source().read('LARGE')).toHaveLength(65_536);
});

test.skipIf(process.getuid?.() === 0)('says that a file may not be read', async () => {
  await writeFile(join(dir, 'DB'), 'value');
  await chmod(join(dir, 'DB'), 0);

  expect(await refusal(source().read('DB'))).toContain("can't be read (EACCES)");
});

test.each(['../DB', 'a/b', '', 'A B', '.hidden'])('does not look for %j', async (name) => {
  expect(await refusal(source().read(name))).toContain('a name is a letter or "_"');
});

test('does not take the path of one secret for the value of another', async () => {
  const env = { RUNNEL_SECRET_DB_FILE: '/run/secrets/db' };

  expect(await refusal(source(env).read('DB_FILE'))).toContain('has no secret "DB_FILE"');
});
