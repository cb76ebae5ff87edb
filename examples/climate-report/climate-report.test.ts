import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findDifferences } from './check-report.ts';

const source = import.meta.dirname;
const cities = ['seattle', 'new-york'];
const years = ['2012', '2013', '2014', '2015'];

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'runnel-climate-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs one step as the local executor would and returns its output. */
function step(program: string, words: readonly string[], environment = {}): { file: string } {
  const output = join(directory, 'output.json');
  execFileSync(process.execPath, [join(source, program), ...words], {
    cwd: directory,
    env: { PATH: process.env['PATH'], RUNNEL_OUTPUT: output, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return JSON.parse(readFileSync(output, 'utf8'));
}

test('the steps, one after another, make a report whose figures agree with the raw data', () => {
  const temperature = step('pull-temperature.ts', []);
  const co2 = step('pull-co2.ts', []);
  const files: string[] = [];
  const pulled = cities.map((city) => ({ city, ...step('pull-weather.ts', [city]) }));
  for (const year of years) {
    const b = step('transform-temperature.ts', [year, temperature.file]);
    const c = step('transform-co2.ts', [year, co2.file]);
    for (const { city, file } of pulled) {
      const a = step('transform-weather.ts', [city, year, file]);
      const ab = step('derive-ab.ts', [a.file, b.file]);
      files.push(step('derive-abc.ts', [ab.file, c.file]).file);
    }
  }
  const output = step('report.ts', [], { FILES: `${files.join(' ')} ` });

  expect(output).toEqual({ report: join(directory, 'report.html'), cities: 2 });
  expect(findDifferences(directory)).toEqual([]);
  const html = readFileSync(join(directory, 'report.html'), 'utf8');
  expect(html.match(/<svg /g)).toHaveLength(5);
  expect(html).not.toMatch(/NaN|undefined|(src|href)=/);
}, 60_000);

test('the check sees a figure that is off and a report that is missing', () => {
  const other = mkdtempSync(join(tmpdir(), 'runnel-climate-'));
  for (const city of cities) {
    for (const year of years) {
      const name = `climate-${city}-${year}.json`;
      const text = readFileSync(join(directory, name), 'utf8');
      writeFileSync(join(other, name), text.replace('"meanTemp": 11.28', '"meanTemp": 11.29'));
    }
  }

  const differences = findDifferences(other);

  rmSync(other, { recursive: true });
  expect(differences).toContainEqual(
    expect.stringMatching(/^climate-seattle-2012.json: mean temperature: 11.29 instead of 11.283/),
  );
  expect(differences.filter((line) => line.startsWith('report.html'))).toHaveLength(8);
});

test('every program that the spec names exists', () => {
  const spec: unknown = parse(readFileSync(join(source, 'run.yaml'), 'utf8'));

  const programs = [...JSON.stringify(spec).matchAll(/\{\{run\.source\}\}\/([\w.-]+)/g)];

  expect(programs.map(([, name]) => name)).toHaveLength(9);
  expect(programs.filter(([, name = '']) => !existsSync(join(source, name)))).toEqual([]);
});
