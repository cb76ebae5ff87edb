// Breaks things on purpose and checks what becomes of the runs: `npm run test:chaos -- --help`.
import { type ChaosArguments, readArguments, usage } from './arguments.ts';
import { playFailovers } from './failovers.ts';
import { allNemeses } from './nemeses/all.ts';
import type { Nemesis } from './nemesis.ts';
import { renderResults } from './table.ts';
import { runTrial, type TrialResult } from './trial.ts';

// Ended by a signal, Node would leave everything behind that it has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const known = allNemeses;
const options = readArguments(process.argv.slice(2), known);
if (options === 'help') {
  process.stdout.write(`${usage}${known.map(({ name }) => name).join(', ')}\n`);
} else {
  process.exitCode = await runAll(options);
}

async function runAll(all: ChaosArguments): Promise<number> {
  const endAt = Date.now() + all.soakHours * 3_600_000;
  let seed = all.seed;
  let failed = 0;
  do {
    process.stdout.write(`seed ${seed}\n`);
    const results = await runRound(all, seed++);
    process.stdout.write(`${renderResults(results)}\n`);
    failed += results.filter(({ violations }) => violations.length > 0).length;
    if (all.soakHours > 0 && !(await playFailovers())) failed++;
  } while (Date.now() < endAt);
  return failed > 0 ? 1 : 0;
}

async function runRound(all: ChaosArguments, seed: number): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  const weights = all.nemeses.reduce((sum, nemesis) => sum + weightOf(nemesis), 0);
  for (const nemesis of all.nemeses) {
    const unfit = nemesis.unfit?.() ?? null;
    if (unfit !== null) {
      process.stdout.write(`${nemesis.name}: skipped: ${unfit}\n`);
      continue;
    }
    const share = (all.minutes * 60 * weightOf(nemesis)) / weights;
    const seconds = nemesis.name === 'busy' ? all.busyMinutes * 60 : share;
    const startedAt = Date.now();
    const result = await runTrial(nemesis, { seed, seconds, keep: all.keep });
    results.push(result);
    const tookS = Math.round((Date.now() - startedAt) / 1_000);
    const { faults, tasks, violations } = result;
    process.stdout.write(
      `${nemesis.name}: ${faults} faults, ${tasks} tasks, ${violations.length} violations, ${tookS} s\n`,
    );
  }
  return results;
}

function weightOf(nemesis: Nemesis): number {
  return nemesis.weight ?? 1;
}
