import type { Archive } from '../archive.ts';

/** What the thread is asked; buffers are copied. */
export type ArchiveMethod = Exclude<keyof Archive, typeof Symbol.asyncDispose>;

export interface ArchiveCall {
  readonly number: number;
  readonly method: ArchiveMethod | 'close';
  readonly args: readonly unknown[];
}

export type ArchiveReply =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: ThreadError };

/** Between threads an error keeps neither its class nor a name of ours. */
export interface ThreadError {
  readonly name: string;
  readonly message: string;
}

/** What the thread says once: its file is open, or why not. */
export const openNumber = -1;
