import { parseArgs } from 'node:util';
import type { Nemesis } from './nemesis.ts';

export interface ChaosArguments {
  readonly nemeses: readonly Nemesis[];
  /** Of faults, all nemeses together. */
  readonly minutes: number;
  readonly seed: number;
  readonly soakHours: number;
  readonly busyMinutes: number;
  readonly keep: boolean;
}

/** With starts, ends and checks a full run stays below a quarter of an hour. */
const usualMinutes = 9;

export const usage = `npm run test:chaos -- [options]

  --only <names>    some nemeses, separated by commas
  --minutes <n>     of faults, shared out among the nemeses; default ${usualMinutes}
  --seed <n>        the same graphs and the same order of faults again
  --soak <hours>    again and again, with another seed each time, and failovers of Sentinel and Cluster
  --busy <minutes>  how long all cores are kept busy to look for false alarms; default 2
  --keep            keep logs and journals, also where all is well
  --help

Nemeses: `;

/** @throws Error with what would be right. */
export function readArguments(
  argv: readonly string[],
  known: readonly Nemesis[],
): ChaosArguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      minutes: { type: 'string', default: String(usualMinutes) },
      seed: { type: 'string' },
      soak: { type: 'string', default: '0' },
      busy: { type: 'string', default: '2' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    nemeses: values.only === undefined ? known : findAll(values.only.split(','), known),
    minutes: toNumber('minutes', values.minutes),
    seed: toNumber('seed', values.seed ?? String(Date.now() % 1_000_000)),
    soakHours: toNumber('soak', values.soak),
    busyMinutes: toNumber('busy', values.busy),
    keep: values.keep,
  };
}

function toNumber(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0)) throw new Error(`--${name} needs a number from 0`);
  return number;
}

function findAll(names: readonly string[], known: readonly Nemesis[]): readonly Nemesis[] {
  return names.map((name) => {
    const found = known.find((nemesis) => nemesis.name === name);
    if (found !== undefined) return found;
    throw new Error(
      `no nemesis is named "${name}"; known: ${known.map((one) => one.name).join(', ')}`,
    );
  });
}
