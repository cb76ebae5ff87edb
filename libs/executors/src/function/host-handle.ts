import type { HostRecord } from './protocol.ts';

/** Why a host is no more. */
export interface HostEnd {
  /** Such as `the function's thread ended (exit code 3)`. */
  readonly message: string;
  /** Of a process that was killed. */
  readonly signal?: string;
}

export interface HostObserver {
  receive(record: HostRecord): void;
  /** Once, when the host has ended by itself or was terminated. */
  lose(end: HostEnd): void;
}

/** The main thread's side of a host. */
export interface HostHandle {
  /** Who hears from it from now on, instead of who did before. */
  attach(observer: HostObserver): void;
  send(request: string): void;
  /** Hands over what the host has written so far. */
  poll(): void;
  /** To be called before an idle host gets more tasks. */
  clear(): void;
  readonly ended: Promise<HostEnd>;
  /** Ends it, whatever it is doing; a call of the system that blocks is waited for by nobody. */
  terminate(): void;
}
