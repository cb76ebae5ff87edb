import type { LogWriter } from '@runnel/core';

/** What is to be started. The process leads a process group of its own. */
export interface ProcessRequest {
  /** The program and its words; never empty. */
  readonly argv: readonly string[];
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Null: nothing to read. */
  readonly stdin: string | null;
  /** Takes stdout and stderr as they come. */
  readonly log: LogWriter;
}

/** How the leader ended, and what it and the children that it waited for cost. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** User and system time; null where it was not measured. */
  readonly cpuMs: number | null;
  /** Of the largest of them; null where it was not measured, or is too small to be told. */
  readonly maxRssBytes: number | null;
}

export interface StartedProcess {
  readonly kind: 'started';
  /** Of the leader; it is also the number of the group. */
  readonly pid: number;
  /**
   * Resolves when nothing is left of it: the leader has ended, its output is in the log, and the rest of its group was
   * killed. What still holds the pipes gets `drainMs` to end by itself, and as long again after it was killed. Rejects
   * where the end can't be known any more; the group was killed then too.
   */
  readonly ended: Promise<ProcessEnd>;
  /** To every member of the group. False where the leader has already ended: nothing is sent then. */
  signalGroup(signal: GroupSignal): boolean;
}

export type GroupSignal = 'SIGTERM' | 'SIGKILL';

export interface NotStarted {
  readonly kind: 'not-started';
  /** The system's word for it, such as ENOENT. */
  readonly code: string;
  readonly message: string;
}

/** How a command is started; the rest of the local executor does not depend on it. Disposing kills what still runs. */
export interface ProcessStarter extends AsyncDisposable {
  start(request: ProcessRequest): Promise<StartedProcess | NotStarted>;
}

/**
 * How long output may still come after a command's own end, and again after the rest of its group was killed. Enough
 * for a `tee` behind it to finish, short enough that a forgotten background process does not hold up the attempt.
 */
export const drainMs = 1_000;

/** False where no member is left, or what is left has become another user's and is not ours to end. */
export function killGroup(pid: number, signal: GroupSignal): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
