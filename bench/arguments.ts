import { parseArgs } from 'node:util';
import { suggest } from '@runnel/core';
import type { Workload } from './workload.ts';

export interface BenchArguments {
  readonly workloads: readonly Workload[];
  /** Beginnings of the names of the systems to measure. */
  readonly systems: readonly string[];
  readonly repeat: number;
  readonly isQuick: boolean;
  readonly isJson: boolean;
}

const comparable = ['bullmq', 'make'];

/** Each figure is the median of so many runs. */
const usualRepeat = 3;

export const usage = `npm run bench -- [workload …] [options]

  --json          one line of JSON for each workload and system; the table goes to standard error
  --vs <system>   bullmq or make (W5), on the same work, taking turns; may be given twice
  --repeat <n>    runs of each, default ${usualRepeat}; quick: 1
  --quick         a tenth of each size
  --help

Workloads:
`;

/** @throws Error with what would be right. */
export function readArguments(
  argv: readonly string[],
  known: readonly Workload[],
): BenchArguments | 'help' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      vs: { type: 'string', multiple: true, default: [] },
      repeat: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  for (const system of values.vs) {
    if (!comparable.includes(system)) {
      throw new Error(`--vs ${system}: ${comparable.join(' and ')} are known`);
    }
  }
  const repeat = Number(values.repeat ?? (values.quick ? 1 : usualRepeat));
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat needs a number from 1');
  const named = positionals.map((name) => find(name, known));
  return {
    workloads: named.length > 0 ? named : known.filter(({ isLong }) => isLong !== true),
    systems: ['runnel', ...values.vs],
    repeat,
    isQuick: values.quick,
    isJson: values.json,
  };
}

function find(name: string, known: readonly Workload[]): Workload {
  const found = known.find((workload) => workload.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = known.map((workload) => workload.name);
  throw new Error(
    `no workload is named "${name}"${suggest(name, names)}; known: ${names.join(', ')}`,
  );
}
