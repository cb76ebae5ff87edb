// Judges a trial: `node chaos/checker/main.ts FOLDER` while its processes run, and
// `node chaos/checker/main.ts FOLDER --stopped` when they have been stopped.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence, Remains, RunEvidence } from './evidence.ts';
import { judge } from './judge.ts';
import { Api } from './read-api.ts';
import { type Files, readFiles } from './read-files.ts';
import { readProcesses } from './read-processes.ts';
import { findKeysTooMany, Store } from './read-redis.ts';

const [dir = '.', mode] = process.argv.slice(2);

/** What a worker that has just lost its lease takes to end what it runs. */
const processesGoWithinMs = 15_000;

/** What may pass without a sign: a lock, a check for what is lost, and a busy machine. */
const quietForMs = 45_000;

const verdict = mode === '--stopped' ? await judgeProcesses() : await judgeTrial();
process.stdout.write(`${JSON.stringify(verdict)}\n`);
process.exitCode = verdict.violations.length > 0 ? 1 : 0;

async function judgeTrial() {
  const { trial } = readFiles(dir);
  const api = new Api(trial.apiUrl);
  using store = new Store(trial.redisUrl, trial.namespace);
  const files = readFiles(dir);
  const isOver = (): boolean => Date.now() > deadlineOf(trial.deadline);
  const answers = await Promise.all(files.runs.map(({ id }) => api.readRun(id, isOver)));
  const remains = await waitForQuiet(store, isOver);
  const keys = await store.readKeys();
  const runs: RunEvidence[] = [];
  for (const [index, run] of files.runs.entries()) {
    const stored = await store.readRun(run.id, keys);
    runs.push({ ...run, answer: answers[index] ?? null, stored });
  }
  const processes = await findTaskProcesses(trial.dataDir);
  const keysAfter = await deleteAll(api, store);
  // The journal again: what ran while we waited for the end belongs to it.
  const evidence: Evidence = {
    ...withoutRuns(readFiles(dir)),
    runs,
    remains,
    keysAfter,
    processes,
  };
  return judge(evidence);
}

/** A slow machine is no fault: as long as tasks begin and end, nothing is stuck. */
function deadlineOf(deadline: number): number {
  return Math.max(deadline, statSync(join(dir, 'journal')).mtimeMs + quietForMs);
}

function withoutRuns(files: Files): Omit<Files, 'runs'> {
  const { runs: _, ...rest } = files;
  return rest;
}

/** BullMQ's lists and the streams are empty a little after the last run has ended. */
async function waitForQuiet(store: Store, isOver: () => boolean): Promise<Remains> {
  for (;;) {
    const remains = await store.readRemains(await store.readKeys());
    const isQuiet = Object.values(remains).every((size) => size === 0);
    if (isQuiet || isOver()) return remains;
    await sleep(500);
  }
}

async function findTaskProcesses(dataDir: string): Promise<readonly string[]> {
  const giveUpAt = Date.now() + processesGoWithinMs;
  for (;;) {
    const left = readProcesses(dataDir).filter(({ isTask }) => isTask);
    if (left.length === 0 || Date.now() > giveUpAt) {
      return left.map(({ pid, command }) => `${pid} ${command}`);
    }
    await sleep(500);
  }
}

async function deleteAll(api: Api, store: Store): Promise<readonly string[]> {
  for (const id of await api.listRuns()) await api.deleteRun(id);
  return findKeysTooMany(await store.readKeys());
}

async function judgeProcesses() {
  const { trial } = readFiles(dir);
  const giveUpAt = Date.now() + processesGoWithinMs;
  let left = readProcesses(trial.dataDir);
  while (left.length > 0 && Date.now() < giveUpAt) {
    await sleep(500);
    left = readProcesses(trial.dataDir);
  }
  return {
    violations: left.map(({ pid, command }) => ({
      rule: 'no-process-left',
      detail: `${pid} ${command} is there after everything was stopped`,
    })),
  };
}
