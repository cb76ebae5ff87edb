import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failpointNames } from '@runnel/core';
import { expect, test } from 'vitest';
import { crashedPoints } from './failpoint-cases.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

test('the code passes every crash point that has a name', () => {
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root })
    .filter((file) => !file.includes('.test.') && !file.includes('/testing/'))
    .map((file) => readFileSync(`${root}/${file}`, 'utf8'));
  const calls = files.flatMap((text) => [...text.matchAll(/failpoint\(([^;]*)\);/g)]);
  const passed = calls.flatMap(([, text = '']) => [...text.matchAll(/'([\w.-]+)'/g)]);

  const names = new Set(passed.map(([, name]) => name));
  expect([...names].sort()).toEqual([...failpointNames].sort());
});

test('a test crashes a process at every point', () => {
  expect([...new Set(crashedPoints)].sort()).toEqual([...failpointNames].sort());
});
