import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runKeyDocs } from './run-keys.ts';
import type { Script } from './script.ts';
import * as scripts from './scripts.ts';
import { shardKeyDocs } from './store-keys.ts';

const folder = new URL('./lua/', import.meta.url);
const declared: readonly Pick<Script, 'name' | 'keys' | 'takesMore'>[] = Object.values(scripts);
const types: Record<string, { readonly type: string }> = { ...runKeyDocs, ...shardKeyDocs };

/** `KEYS[3] groupIndex   string  8 bytes a group` */
const keyLine = /^-- KEYS\[(\d+)(…?)\] (\w+)\s+(\w+)\s+\S/;

test.each(declared.map((script) => [script.name, script] as const))(
  '%s declares the keys that its header names, with their types',
  (name, script) => {
    const lines = readFileSync(new URL(`${name}.lua`, folder), 'utf8').split('\n');
    const keys = lines.flatMap((line) => {
      const match = keyLine.exec(line);
      return match === null ? [] : [match];
    });
    const fixed = keys.filter(([, , more]) => more === '').slice(0, script.keys.length);

    expect(fixed.map(([, , , key]) => key)).toEqual(script.keys);
    expect(fixed.map(([, number]) => Number(number))).toEqual(script.keys.map((_, i) => i + 1));
    for (const [, , , key, type] of fixed) expect(type).toBe(types[key ?? '']?.type);
    expect(keys.length > script.keys.length).toBe(script.takesMore);
  },
);

test.each(declared.map((script) => [script.name, script] as const))(
  '%s says what it returns and stays within 120 lines',
  (name) => {
    const source = readFileSync(new URL(`${name}.lua`, folder), 'utf8');

    expect(source).toMatch(/^-- Returns /m);
    expect(source.split('\n').length).toBeLessThanOrEqual(120);
  },
);

test('every script file is declared', () => {
  const files = readdirSync(folder)
    .filter((file) => !file.startsWith('prelude-'))
    .map((file) => file.replace('.lua', ''));

  expect(declared.map(({ name }) => name).sort()).toEqual(files.sort());
});
