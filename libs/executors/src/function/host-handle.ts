import { type AttemptResult, unreachable } from '@runnel/core';
import type { BatchRequest } from './batch-request.ts';
import type { HostRecord, SecretAnswer } from './protocol.ts';

/** Why a host is no more. */
export interface HostEnd {
  /** Such as `the function's thread ended (exit code 3)`. */
  readonly message: string;
  /** Of a process that was killed. */
  readonly signal?: string;
}

/** Who hears from a host. Tasks are named by their position in the last request. */
export interface HostObserver {
  /** The host has imported its modules. */
  ready(): void;
  log(position: number, text: string): void;
  /** The task asks for a secret: `answerSecret` takes what there is. */
  askSecret(position: number, call: number, name: string): void;
  /** Tasks end in their order. */
  end(position: number, durationMs: number, result: AttemptResult): void;
  /** Every task of the request has ended or was given up. */
  idle(): void;
  /** Once, when the host has ended by itself or was terminated. */
  lose(end: HostEnd): void;
}

/** The main thread's side of a host. */
export interface HostHandle {
  /** It has imported its modules. */
  readonly isReady: boolean;
  /** Who hears from it from now on, instead of who did before. */
  attach(observer: HostObserver): void;
  /** Only while it is ready and idle. */
  run(request: BatchRequest): void;
  /** Aborts the task at this position, if it is the one that runs; null: that and all that were to follow. */
  abort(position: number | null): void;
  /** A call that nobody waits for any more is passed over. */
  answerSecret(call: number, answer: SecretAnswer): void;
  /** Hands over what the host has written so far. */
  poll(): void;
  readonly ended: Promise<HostEnd>;
  /** Ends it, whatever it is doing; a call of the system that blocks is waited for by nobody. */
  terminate(): void;
}

export function tell(observer: HostObserver, record: HostRecord): void {
  switch (record[0]) {
    case 'ready':
      observer.ready();
      break;
    case 'log':
      observer.log(record[1], record[2]);
      break;
    case 'secret':
      observer.askSecret(record[1], record[2], record[3]);
      break;
    case 'end':
      observer.end(record[1], record[2], record[3]);
      break;
    case 'output':
      observer.end(record[1], record[2], { outcome: 'succeeded', output: record[3] });
      break;
    case 'idle':
      observer.idle();
      break;
    default:
      throw unreachable(record);
  }
}
