import type { AttemptResult, Json, JsonObject } from '@runnel/core';
import type { FunctionContext } from './define-function.ts';

/**
 * What goes between the worker's main thread and a host (a thread, or a process for an isolated task). The host is our
 * own code of the same version, so what it says is trusted; it is JSON text, which is cheaper than structured clones.
 *
 * To the host: one request a message. From the host: records, joined by commas, of which many travel at once. A thread
 * writes them to memory that both sides see (outbox.ts), so what has ended is known although the thread is busy.
 *
 * A host carries out the tasks of a request in their order, one after another. So the first one without an `end` is
 * the one that runs, and the one to blame when the host ends.
 */
export interface HostTask {
  readonly index: number;
  /** Of the function. */
  readonly name: string;
  readonly input?: Json | undefined;
  readonly run: FunctionContext['run'];
  readonly task: FunctionContext['task'];
  readonly idempotencyKey: string;
  readonly inputs: JsonObject;
}

export type HostRequest =
  | { readonly kind: 'run'; readonly tasks: readonly HostTask[] }
  /** Ends the task with this index, if it is the one that runs; null: that and all that were to follow. */
  | { readonly kind: 'abort'; readonly index: number | null };

export type HostRecord =
  /** The modules are imported. */
  | readonly ['ready']
  | readonly ['log', index: number, text: string]
  | readonly ['end', index: number, durationMs: number, result: AttemptResult]
  /** Every task of the request has ended or was given up. */
  | readonly ['idle'];

export function encodeRequest(request: HostRequest): string {
  return JSON.stringify(request);
}

export function decodeRequest(text: string): HostRequest {
  return JSON.parse(text);
}

export function encodeRecord(record: HostRecord): string {
  return JSON.stringify(record);
}

export function decodeRecords(joined: string): readonly HostRecord[] {
  return JSON.parse(`[${joined}]`);
}

/** What a thread is started with. */
export interface ThreadData {
  readonly modules: readonly string[];
  readonly outbox: SharedArrayBuffer;
}
