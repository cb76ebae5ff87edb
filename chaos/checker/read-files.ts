import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault, PlannedTask, TaskEvent, Trial } from './evidence.ts';

/** What the client knows of one run. */
export interface KnownRun {
  readonly id: string;
  readonly graph: readonly PlannedTask[];
  readonly ackAt: number;
  readonly cancelAt: number | null;
  readonly seenState: string | null;
}

export interface Files {
  readonly trial: Trial;
  readonly events: readonly TaskEvent[];
  readonly faults: readonly Fault[];
  readonly runs: readonly KnownRun[];
  readonly keysWithTwoRuns: readonly string[];
}

interface ClientLine {
  readonly e: 'submit' | 'ack' | 'cancel' | 'delete' | 'final' | 'refused';
  readonly key: string;
  readonly run: string;
  readonly at: number;
  readonly graph: readonly PlannedTask[];
  readonly state: string;
}

/** Reads what driver, client and tasks wrote into the folder of a trial. */
export function readFiles(dir: string): Files {
  const [trial] = readLines<Trial>(join(dir, 'trial.json'));
  if (trial === undefined) throw new Error(`${dir} has no trial.json`);
  return {
    trial,
    events: readLines<TaskEvent>(join(dir, 'journal')),
    faults: readLines<Fault>(join(dir, 'faults')),
    ...readClientLog(readLines<ClientLine>(join(dir, 'client'))),
  };
}

export function readClientLog(
  lines: readonly ClientLine[],
): Pick<Files, 'runs' | 'keysWithTwoRuns'> {
  const graphs = new Map(
    lines.filter(({ e }) => e === 'submit').map((one) => [one.key, one.graph]),
  );
  const deleted = new Set(lines.filter(({ e }) => e === 'delete').map(({ run }) => run));
  const acks = lines.filter(({ e, run }) => e === 'ack' && !deleted.has(run));
  const cancels = lines.filter(({ e }) => e === 'cancel');
  const finals = lines.filter(({ e }) => e === 'final');
  const runs = acks.map(({ key, run, at }) => ({
    id: run,
    graph: graphs.get(key) ?? [],
    ackAt: at,
    cancelAt: cancels.find((one) => one.run === run)?.at ?? null,
    seenState: finals.find((one) => one.run === run)?.state ?? null,
  }));
  const byKey = Map.groupBy(acks, ({ key }) => key);
  const twice = [...byKey].filter(([, all]) => new Set(all.map(({ run }) => run)).size > 1);
  return { runs, keysWithTwoRuns: twice.map(([key]) => key) };
}

/** A line that a killed process could not finish is none. */
function readLines<Line>(path: string): readonly Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return [];
      }
    });
}
