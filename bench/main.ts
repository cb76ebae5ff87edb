// Measures Runnel's own processes: `npm run bench -- --help`.
import { readArguments, usage } from './arguments.ts';
import { readMachine, readVersions } from './machine.ts';
import { type Result, Results } from './results.ts';
import { type Observer, runWorkload } from './run-cases.ts';
import { legend, renderTable, renderVerdict } from './table.ts';
import type { Workload } from './workload.ts';
import { workloads } from './workloads/all.ts';

// What was started ends with this process, which must not simply vanish.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main(process.argv.slice(2));

/** 1 where something could not be measured; a missed target is no error. */
async function main(argv: readonly string[]): Promise<number> {
  const options = parse(argv);
  if (typeof options === 'number') return options;
  const [machine, versions] = [readMachine(), readVersions()];
  const tell = (text: string): void => void process.stderr.write(`${text}\n`);
  const print = options.isJson ? tell : (text: string) => void process.stdout.write(`${text}\n`);
  const failures: string[] = [];
  const observer: Observer = {
    tell,
    receive(result) {
      if (!options.isJson) return;
      process.stdout.write(`${JSON.stringify({ ...lineOf(result), versions, machine })}\n`);
    },
    fail(what, error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      tell(failures.at(-1) ?? '');
    },
  };
  const results = new Results();
  for (const workload of options.workloads) {
    await runWorkload(workload, options, { results, observer });
  }
  print(describe(machine, versions, options));
  print(`\n${renderTable(results.all)}\n\n${legend}\n`);
  for (const workload of options.workloads) print(judge(workload, results));
  for (const failure of failures) print(`not measured: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

function parse(
  argv: readonly string[],
): Exclude<ReturnType<typeof readArguments>, 'help'> | number {
  try {
    const options = readArguments(argv, workloads);
    if (options !== 'help') return options;
    const list = workloads.map(({ name, about }) => `  ${name.padEnd(9)}  ${about}\n`).join('');
    process.stdout.write(`${usage}${list}`);
    return 0;
  } catch (error: unknown) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

function describe(
  machine: ReturnType<typeof readMachine>,
  versions: ReturnType<typeof readVersions>,
  { repeat, isQuick }: { readonly repeat: number; readonly isQuick: boolean },
): string {
  const { cpu, cores, memoryGb, os, load } = machine;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `\n${cores} × ${cpu}, ${memoryGb} GB, ${os}; load before: ${load}`,
    names.join(', '),
    `${repeat} runs each${isQuick ? '; quick: a tenth of each size, so the targets say little' : ''}`,
  ].join('\n');
}

function lineOf(result: Result): object {
  const { peakRssMb } = result;
  const largest =
    Object.keys(peakRssMb).length === 0 ? null : Math.max(...Object.values(peakRssMb));
  return { ...result, peakRssMb: largest, peakRssMbOf: peakRssMb };
}

function judge(workload: Workload, results: Results): string {
  const verdicts = (workload.judge?.(results) ?? []).filter((verdict) => verdict !== null);
  return [`${workload.name}: ${workload.about}`, ...verdicts.map(renderVerdict)].join('\n');
}
