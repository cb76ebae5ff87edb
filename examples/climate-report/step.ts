import { readFileSync, writeFileSync } from 'node:fs';

/** A table as its header names it: `{ date: '2012-01-01', temp_max: '12.8' }`. */
export type CsvRow = Readonly<Record<string, string>>;

/** The words of the command line, which must be as many as there are names. */
export function readArguments<const Names extends readonly string[]>(
  ...names: Names
): { readonly [Index in keyof Names]: string } {
  const given = process.argv.slice(2);
  if (given.length !== names.length || given.some((word) => word === '')) {
    process.stderr.write(`usage: node ${process.argv[1]} ${names.join(' ')}\n`);
    process.exit(2);
  }
  // As many as there are names, as the line above has seen.
  return given as unknown as { readonly [Index in keyof Names]: string };
}

/** A file of the data sets that the npm package vega-datasets ships. */
export function readDataset(name: string): readonly CsvRow[] {
  return parseCsv(
    readFileSync(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')), 'utf8'),
  );
}

export function readCsv(file: string): readonly CsvRow[] {
  return parseCsv(readFileSync(file, 'utf8'));
}

export function writeCsv(file: string, rows: readonly CsvRow[]): void {
  const names = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => names.map((name) => row[name]).join(','));
  writeFileSync(file, `${[names.join(','), ...lines].join('\n')}\n`);
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Gives the task's output to its children; by hand, it is shown instead. */
export function handOn(output: Readonly<Record<string, unknown>>): void {
  const text = `${JSON.stringify(output)}\n`;
  const { RUNNEL_OUTPUT: file } = process.env;
  if (file !== undefined) writeFileSync(file, text);
  process.stdout.write(text);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** These files have no quoted fields. */
function parseCsv(text: string): readonly CsvRow[] {
  const [header = '', ...lines] = text.trim().split(/\r?\n/);
  const names = header.split(',');
  return lines.map((line) => {
    const fields = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? '']));
  });
}
