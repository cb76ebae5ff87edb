import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AttemptResult,
  AttemptSecrets,
  type Executor,
  type ExecutorEnvironment,
  fillSecretReferences,
  findSecretReferences,
  type Json,
  type JsonObject,
  type LogWriter,
  type OpenExecutor,
  SecretError,
  type TaskCancels,
} from '@runnel/core';

/** What a test says about a task; the rest has defaults. */
export interface TestTask {
  /** As in a spec: parsed with the executor's schema, as a worker does. */
  readonly details: Json;
  readonly inputs?: JsonObject;
  readonly timeoutMs?: number;
  readonly successExitCodes?: readonly number[];
  readonly isolated?: boolean;
  readonly runId?: string;
  /** What its worker has. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** How one task of a batch ended. */
export interface TestEnd {
  readonly result: AttemptResult;
  readonly durationMs: number;
  /** The order among the ends of its batch, from 0. */
  readonly order: number;
  readonly log: TestLog;
}

export interface TestLog extends LogWriter {
  /** Of all that was written. */
  readonly bytes: number;
  /** The last 64 KB. */
  text(): string;
  /** Resolves when the text contains this. */
  contains(part: string): Promise<void>;
}

export interface BatchOptions {
  readonly signal?: AbortSignal;
  readonly cancels?: TaskCancels;
  /** Called with each task's log before the batch starts. */
  readonly onLogs?: (logs: readonly TestLog[]) => void;
  readonly onEnd?: (index: number, result: AttemptResult) => void;
}

/** An open executor with a data directory of its own, both gone when it is disposed. */
export interface ExecutorHarness extends AsyncDisposable {
  readonly dataDir: string;
  readonly open: OpenExecutor<unknown>;
  /** Resolves with all ends, in the tasks' order. Throws where a task did not end exactly once. */
  runBatch(tasks: readonly TestTask[], options?: BatchOptions): Promise<readonly TestEnd[]>;
  run(task: TestTask, options?: BatchOptions): Promise<TestEnd>;
}

/** Opens an executor as a worker does. */
export async function openExecutor(
  executor: Executor,
  settings: Partial<ExecutorEnvironment> = {},
): Promise<ExecutorHarness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'runnel-test-'));
  const environment = { dataDir, concurrency: 2, functions: [], killGraceMs: 1_000, ...settings };
  const open = await executor.open(environment);
  const runBatch: ExecutorHarness['runBatch'] = (tasks, options = {}) =>
    runTasks({ executor, open, tasks, options });
  return {
    dataDir,
    open,
    runBatch,
    run: async (task, options) => {
      const [end] = await runBatch([task], options);
      if (end === undefined) throw new Error('the task did not end');
      return end;
    },
    [Symbol.asyncDispose]: async () => {
      await open[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

interface BatchRun {
  readonly executor: Executor;
  readonly open: OpenExecutor<unknown>;
  readonly tasks: readonly TestTask[];
  readonly options: BatchOptions;
}

async function runTasks(batch: BatchRun): Promise<readonly TestEnd[]> {
  const { executor, open, tasks, options } = batch;
  const logs = tasks.map(() => collectLog());
  const secrets = tasks.map((task, index) => secretsOf(task, logs[index] ?? collectLog()));
  options.onLogs?.(logs);
  const ends = new Map<number, TestEnd>();
  const details = await Promise.all(
    tasks.map((task, index) => fillDetails(executor, task.details, secrets[index])),
  );
  const inputs = tasks.map((task, number) => ({
    run: { id: task.runId ?? 'run-1', name: 'test' },
    task: { id: `task-${number}`, number, class: 'task', attempt: 1 },
    idempotencyKey: `run-1.task-${number}.1`,
    details: executor.details.parse(details[number]),
    inputs: task.inputs ?? {},
    timeoutMs: task.timeoutMs ?? null,
    successExitCodes: task.successExitCodes ?? [0],
    isolated: task.isolated ?? false,
    log: secrets[number] ?? collectLog(),
    secret: (name: string) => secrets[number]?.read(name) ?? Promise.reject(new Error(name)),
  }));
  const signal = options.signal ?? new AbortController().signal;
  await open.execute(
    { tasks: inputs, signal, cancels: options.cancels },
    (index, ended, durationMs) => {
      if (ends.has(index)) throw new Error(`task ${index} ended twice`);
      const log = logs[index];
      if (log === undefined) throw new Error(`there is no task ${index}`);
      const result = secrets[index]?.redact(ended) ?? ended;
      secrets[index]?.endLog();
      ends.set(index, { result, durationMs, order: ends.size, log });
      options.onEnd?.(index, result);
    },
  );
  return tasks.map((_, index) => {
    const end = ends.get(index);
    if (end === undefined) throw new Error(`task ${index} did not end`);
    return end;
  });
}

/** As a worker keeps them out of logs and results. */
function secretsOf({ secrets = {} }: TestTask, log: LogWriter): AttemptSecrets {
  const read = async (name: string): Promise<string> => {
    const value = secrets[name];
    if (value === undefined) throw new SecretError(`this test has no secret "${name}"`);
    return value;
  };
  return new AttemptSecrets({ read }, log);
}

/** As a worker puts secrets in place of their references. */
async function fillDetails(
  { secretPlaces = [] }: Executor,
  details: Json,
  secrets: AttemptSecrets | undefined,
): Promise<Json> {
  const references = findSecretReferences(secretPlaces, details);
  const texts = references.map(({ name }) => secrets?.read(name) ?? '');
  return fillSecretReferences(details, references, await Promise.all(texts));
}

const keptBytes = 65_536;

/** A log that takes 256 KB at once and then asks to wait for a turn of the event loop. */
function collectLog(): TestLog {
  let bytes = 0;
  let sinceDrain = 0;
  let tail = Buffer.alloc(0);
  const watchers = new Set<() => void>();
  const text = (): string => tail.toString();
  return {
    get bytes() {
      return bytes;
    },
    text,
    write(chunk) {
      const added = Buffer.from(chunk);
      bytes += added.length;
      sinceDrain += added.length;
      tail = Buffer.concat([tail, added.subarray(-keptBytes)]).subarray(-keptBytes);
      for (const watch of watchers) watch();
      return sinceDrain < 262_144;
    },
    async drained() {
      await new Promise((resolve) => setImmediate(resolve));
      sinceDrain = 0;
    },
    contains(part) {
      const found = Promise.withResolvers<void>();
      const watch = (): void => {
        if (!text().includes(part)) return;
        watchers.delete(watch);
        found.resolve();
      };
      watchers.add(watch);
      watch();
      return found.promise;
    },
  };
}
