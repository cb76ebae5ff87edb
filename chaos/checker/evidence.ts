/**
 * What the checker judges by. It knows the product only from outside: files that tasks and the client
 * wrote, answers of the API, and the bytes that lie in Redis as docs/redis-keys.md describes them.
 */

/** A line of the journal, in the order of the file. */
export interface TaskEvent {
  readonly e: 'start' | 'end';
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly pid: number;
  readonly at: number;
  readonly nonce: string;
  /** How the attempt ended; only of an end. */
  readonly end?: string;
  /** Outputs of parents by class; only of a start. */
  readonly inputs?: unknown;
}

export interface PlannedTask {
  readonly id: string;
  readonly executor: string;
  readonly parents: readonly string[];
  readonly runIf: string;
  readonly ends: readonly string[];
}

export interface Fault {
  readonly fault: string;
  /** Of which kind of process: worker, listener, api, redis, network. */
  readonly target: string;
  /** Null: it touches all of them. */
  readonly pid: number | null;
  readonly from: number;
  readonly to: number;
}

/** What the driver says of the trial. */
export interface Trial {
  readonly apiUrl: string;
  readonly redisUrl: string;
  readonly namespace: string;
  readonly dataDir: string;
  /** For how long a worker may hold a task without a sign. */
  readonly leaseMs: number;
  /** By then every acknowledged run must have ended. */
  readonly deadline: number;
  readonly loadFrom: number;
  readonly loadTo: number;
  /** Moments at which Redis was made to forget what it had not synced. */
  readonly powerLosses: readonly number[];
}

export interface AnsweredTask {
  readonly number: number;
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
}

export interface AnsweredRun {
  readonly state: string;
  readonly taskCount: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly tasks: readonly AnsweredTask[];
}

/** The raw keys of a run that rules look at. */
export interface StoredRun {
  readonly meta: Readonly<Record<string, string>>;
  readonly state: Buffer;
  readonly tries: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, string>>;
  /** Names of keys that must be gone at the end, with how much is in them. */
  readonly leftovers: Readonly<Record<string, number>>;
}

export interface RunEvidence {
  readonly id: string;
  readonly graph: readonly PlannedTask[];
  readonly ackAt: number;
  readonly cancelAt: number | null;
  /** What the client saw as its end. */
  readonly seenState: string | null;
  readonly answer: AnsweredRun | null;
  readonly stored: StoredRun | null;
}

/** Things that must be empty: what it is, and how much was found. */
export type Remains = Readonly<Record<string, number>>;

export interface Evidence {
  readonly trial: Trial;
  readonly events: readonly TaskEvent[];
  readonly faults: readonly Fault[];
  readonly runs: readonly RunEvidence[];
  /** Keys under which two acknowledged runs were answered. */
  readonly keysWithTwoRuns: readonly string[];
  readonly remains: Remains;
  /** Keys that are there after every run was deleted. */
  readonly keysAfter: readonly string[];
  /** Commands of tasks that are there after every run ended. */
  readonly processes: readonly string[];
}

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

export interface Duplicate {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly starts: number;
  /** The fault that explains it. */
  readonly cause: string | null;
  /** From that fault to the next start, of an attempt that was going on then. */
  readonly againAfterMs: number | null;
}

/** Whether Redis forgot something that happened while this run was going on. */
export function isTouchedByPowerLoss(trial: Trial, ackAt: number, lastAt: number): boolean {
  return trial.powerLosses.some((at) => ackAt <= at && lastAt >= at - forgottenMs);
}

/** `everysec` syncs each second; the sync itself takes some time too. */
export const forgottenMs = 2_500;

export const finalStates = ['succeeded', 'failed', 'skipped', 'upstream-failed', 'cancelled'];
