import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openLinesFile } from './lines-file.ts';
import type { SpecChanges } from './spec-file.ts';

const cwd = mkdtempSync(join(tmpdir(), 'runnel-lines-'));
afterAll(() => rmSync(cwd, { recursive: true }));

const unchanged: SpecChanges = { overrides: new Map(), tags: {} };

async function send(text: string, changes: SpecChanges = unchanged): Promise<string> {
  writeFileSync(join(cwd, 'big.ndjson'), text);
  const source = { path: 'big.ndjson', cwd, stdin: process.stdin };
  const { readLines } = await openLinesFile(source, changes);
  let sent = '';
  for await (const lines of readLines?.() ?? []) sent += `${lines}\n`;
  return sent;
}

test('a file goes out as it is', async () => {
  const text = `{"name":"n"}\n${'{"class":"ü","id":"x"}\n'.repeat(50_000)}`;

  expect(await send(text)).toBe(text);
  expect(await send('{}\n{"class":"a"}')).toBe('{}\n{"class":"a"}\n');
});

test('a name and tags go into its first line', async () => {
  const changes = { ...unchanged, name: 'new', tags: { team: 'data' } };

  expect(await send('{"name":"old","tags":{"a":"b"}}\n{"class":"a"}\n', changes)).toBe(
    '{"name":"new","tags":{"a":"b","team":"data"}}\n{"class":"a"}\n',
  );
  expect(await send('not JSON\n{"class":"a"}\n', changes)).toBe('not JSON\n{"class":"a"}\n');
});

test('parameters and files that are not there are refused', async () => {
  const source = { path: 'none.ndjson', cwd, stdin: process.stdin };
  const overrides = new Map([['X', ['1']]]);

  await expect(openLinesFile(source, { ...unchanged, overrides })).rejects.toThrow('-p');
  await expect(openLinesFile(source, unchanged)).rejects.toThrow('there is no file none.ndjson');
});
