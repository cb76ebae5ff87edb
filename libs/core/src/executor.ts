import type { z } from 'zod';
import type { JsonObject } from './json.ts';
import type { AttemptResult } from './outcome.ts';
import type { GeneratorDialect } from './plan.ts';
import type { SecretPlace } from './secrets/secret-references.ts';

/**
 * `computes`: takes a slot of the worker's cores. `waits`: only waits for something elsewhere and
 * has a much larger limit of its own.
 */
export const lanes = ['computes', 'waits'] as const;
export type Lane = (typeof lanes)[number];

/** Why an attempt's signal was aborted: `signal.reason` is an AttemptAbort. */
export type AbortCause = 'timeout' | 'cancel' | 'lease-lost' | 'shutdown';

export class AttemptAbort extends Error {
  override readonly name = 'AttemptAbort';
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause) {
    super(`the attempt was aborted: ${abortCause}`);
    this.abortCause = abortCause;
  }
}

/** Takes what a task writes; the tail is kept, without secrets. */
export interface LogWriter {
  /**
   * False asks the caller to wait for `drained()` before it writes more.
   *
   * @param source tells apart what comes from several pipes: a secret is found in chunks of one source. Default 0.
   */
  write(chunk: string | Uint8Array, source?: number): boolean;
  drained(): Promise<void>;
}

/** One attempt of one task, as it is handed to an executor. */
export interface TaskInput<Details> {
  readonly run: { readonly id: string; readonly name: string | null };
  readonly task: {
    readonly id: string;
    readonly number: number;
    readonly class: string;
    readonly attempt: number;
  };
  /** The same for every start of the same attempt: `run.task.attempt`. */
  readonly idempotencyKey: string;
  /** Rendered and validated. */
  readonly details: Details;
  /** Outputs of direct parents by class: an object, or an array where there are several. */
  readonly inputs: JsonObject;
  /** Of this attempt, from its start; null: no limit. */
  readonly timeoutMs: number | null;
  readonly successExitCodes: readonly number[];
  /** Of a generator: its success comes with `tasks`, the text that says which tasks join the run. */
  readonly generator?: GeneratorDialect;
  readonly log: LogWriter;
  /**
   * The value of a secret that this worker has, looked up now. From then on it is replaced in the log, in messages and
   * in the output of this attempt. Rejects with a SecretError, which ends the attempt as `secret-missing`.
   */
  secret(name: string): Promise<string>;
  /** True after the task's worker died twice: run it in a process of its own. */
  readonly isolated: boolean;
}

/** What `execute` of a simple executor gets: the attempt and the signal that ends it. */
export interface TaskContext<Details> extends TaskInput<Details> {
  /** Aborted on timeout, cancel, a lost lease and at the end of the worker's grace; the reason is an AttemptAbort. */
  readonly signal: AbortSignal;
}

/** Called exactly once for each task of a batch, as soon as it has ended. */
export type EndTask = (index: number, result: AttemptResult, durationMs: number) => void;

/** Several tasks of one group at once; each ends by itself. */
export interface Batch<Details> {
  readonly tasks: readonly TaskInput<Details>[];
  /** Aborted when all of them must end (cancel, lost lease, shutdown); the reason is an AttemptAbort. */
  readonly signal: AbortSignal;
  /** Where tasks can be cancelled one by one. */
  readonly cancels?: TaskCancels | undefined;
}

/** Which tasks of a batch must end, by their place in it. */
export interface TaskCancels {
  isCancelled(index: number): boolean;
  /** Aborted when that task must end, or all of them; the reason is an AttemptAbort. */
  signalOf(index: number): AbortSignal;
}

/** The signal that ends one task of a batch. */
export function signalOf(
  { signal, cancels }: Pick<Batch<unknown>, 'signal' | 'cancels'>,
  index: number,
): AbortSignal {
  return cancels?.signalOf(index) ?? signal;
}

/** What a worker offers to its executors. */
export interface ExecutorEnvironment {
  /** Run directories live under `<dataDir>/runs/<run id>`. */
  readonly dataDir: string;
  /** How many deliveries the worker hands to this executor at once. */
  readonly concurrency: number;
  /** Absolute paths of the modules that register functions. */
  readonly functions: readonly string[];
  /** Time between TERM and KILL of a process group, in ms. */
  readonly killGraceMs: number;
}

/** An executor with its threads, processes or connections, until it is disposed. */
export interface OpenExecutor<Details> extends AsyncDisposable {
  /** Resolves when `end` was called for every task. The executor keeps each task's `timeoutMs`. */
  execute(batch: Batch<Details>, end: EndTask): Promise<void>;
}

/** A plugin that carries out a kind of task. */
export interface Executor<Details = unknown> {
  readonly name: string;
  readonly lane: Lane;
  /** Of `details`, checked at submission (before templating) and on the worker (after). */
  readonly details: z.ZodType<Details>;
  /** How many ready tasks of one group may come in one delivery: 1 to 256. */
  readonly maxBatch: number;
  /** Where in `details` a reference to a secret may stand; the executor gets the value as a text. Default: nowhere. */
  readonly secretPlaces?: readonly SecretPlace[];
  /** True where it runs the tasks of a batch side by side, so that none waits behind another. */
  readonly isSideBySide?: boolean;
  open(environment: ExecutorEnvironment): Promise<OpenExecutor<Details>>;
}
