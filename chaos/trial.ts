import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Cluster } from './cluster.ts';
import { FaultLog } from './fault-log.ts';
import { JsonLines } from './json-lines.ts';
import { Load } from './load.ts';
import type { Nemesis } from './nemesis.ts';
import { describeMs, percentile } from './percentile.ts';
import { createRandom } from './random.ts';

const checker = fileURLToPath(new URL('./checker/main.ts', import.meta.url));

/** BullMQ's lock, after which a worker has stopped what it runs. */
const leaseMs = 8_000;

/** After the last fault: a lock, a check for what is lost, a submission's minute, and a busy machine. */
const endsWithinMs = 90_000;

const violation = z.object({ rule: z.string(), detail: z.string() });
const verdict = z.object({
  runs: z.int(),
  tasks: z.int(),
  losses: z.int(),
  longestStallMs: z.number(),
  duplicates: z.array(
    z.object({ cause: z.string().nullable(), againAfterMs: z.number().nullable() }),
  ),
  violations: z.array(violation),
});
const afterVerdict = z.object({ violations: z.array(violation) });
export type Violation = z.infer<typeof violation>;
export type Verdict = z.infer<typeof verdict>;

export interface TrialResult extends Verdict {
  readonly nemesis: string;
  readonly faults: number;
  readonly notes: readonly string[];
  /** Where logs and journals are kept; null: removed. */
  readonly dir: string | null;
}

export interface TrialOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly keep: boolean;
}

/** Runs one nemesis on a cluster of its own and has the checker judge it. */
export async function runTrial(nemesis: Nemesis, options: TrialOptions): Promise<TrialResult> {
  const dir = mkdtempSync(join(tmpdir(), `runnel-chaos-${nemesis.name}-`));
  const cluster = await Cluster.start({ ...(await nemesis.options?.(dir)), dir });
  const random = createRandom(options.seed);
  const faults = new FaultLog(new JsonLines(join(dir, 'faults')));
  const journal = new JsonLines(join(dir, 'journal')).path;
  const log = new JsonLines(join(dir, 'client'));
  const load = new Load({ apiUrl: cluster.apiUrl, journal, log, random });
  const notes: string[] = [];
  const own: Violation[] = [];
  const loadFrom = Date.now();
  load.start();
  await nemesis.strike({
    ...{ cluster, load, random, faults },
    until: loadFrom + options.seconds * 1_000,
    note: (text) => notes.push(text),
    violate: (rule, detail) => own.push({ rule, detail }),
  });
  const loadTo = Date.now();
  await load.stop();
  writeTrial(dir, cluster, { loadFrom, loadTo, powerLosses: faults.powerLosses });
  const judged = verdict.parse(await runChecker(dir));
  await cluster.stop();
  const after = afterVerdict.parse(await runChecker(dir, '--stopped'));
  nemesis.cleanUp?.(dir);
  own.push(...checkRestarts(nemesis, judged, notes));
  const violations = [...own, ...judged.violations, ...after.violations];
  const isKept = options.keep || violations.length > 0;
  if (!isKept) rmSync(dir, { recursive: true, force: true });
  return {
    ...judged,
    violations,
    nemesis: nemesis.name,
    faults: faults.count,
    notes,
    dir: isKept ? dir : null,
  };
}

/** How long it took until tasks that a dead process had in hand ran elsewhere. */
function checkRestarts(nemesis: Nemesis, judged: Verdict, notes: string[]): readonly Violation[] {
  const tookMs = judged.duplicates.flatMap(({ againAfterMs }) => againAfterMs ?? []);
  if (tookMs.length > 0) notes.push(`tasks ran again after ${describeMs(tookMs)}`);
  const limitMs = nemesis.restartsWithinMs ?? Number.POSITIVE_INFINITY;
  if (percentile(tookMs, 0.99) <= limitMs) return [];
  return [{ rule: 'restart-in-time', detail: `tasks ran again after ${describeMs(tookMs)}` }];
}

function writeTrial(
  dir: string,
  cluster: Cluster,
  more: {
    readonly loadFrom: number;
    readonly loadTo: number;
    readonly powerLosses: readonly number[];
  },
): void {
  const trial = {
    apiUrl: cluster.apiUrl,
    redisUrl: cluster.redis.url,
    namespace: 'runnel',
    dataDir: cluster.dataDir,
    leaseMs,
    deadline: Date.now() + endsWithinMs,
    ...more,
  };
  writeFileSync(join(dir, 'trial.json'), `${JSON.stringify(trial)}\n`);
}

/** A program of its own, so that it can share nothing with what it judges. */
async function runChecker(dir: string, ...more: readonly string[]): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const options = { maxBuffer: 64 * 2 ** 20 };
  execFile(process.execPath, [checker, dir, ...more], options, (error, stdout, stderr) => {
    try {
      resolve(JSON.parse(stdout));
    } catch {
      reject(new Error(`the checker failed: ${stderr}`, { cause: error }));
    }
  });
  return await promise;
}
