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

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface StartedProcess {
  readonly kind: 'started';
  /** Of the leader; it is also the number of the group. */
  readonly pid: number;
  /** The leader's end. Others of its group may still live and hold the pipes. */
  readonly ended: Promise<ProcessEnd>;
  /** To every member of the group; without effect when none is left. */
  signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Resolves when all output is in the log, or after `limitMs`. */
  drained(limitMs: number): Promise<void>;
  /** Gives up the pipes, whoever still holds them. */
  close(): void;
}

export interface NotStarted {
  readonly kind: 'not-started';
  /** The system's word for it, such as ENOENT. */
  readonly code: string;
  readonly message: string;
}

/** How a command is started; the rest of the local executor does not depend on it. */
export interface ProcessStarter extends AsyncDisposable {
  start(request: ProcessRequest): Promise<StartedProcess | NotStarted>;
}
