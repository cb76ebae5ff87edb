import type { AttemptResult, JsonObject } from '@runnel/core';
import type { BatchRequest } from './batch-request.ts';

/**
 * What goes between the worker's main thread and a host (a thread, or a process for an isolated task). The host is our
 * own code of the same version, so what it says is trusted.
 *
 * To the host: one request a message. From the host: records as JSON text, joined by commas, of which many travel at
 * once. A thread writes them to memory that both sides see (outbox.ts), so what has ended is known although the thread
 * is busy. There the commonest end, a success without output, is not even a record.
 *
 * A host carries out the tasks of a request in their order, one after another. So the first one without an end is
 * the one that runs, and the one to blame when the host ends. A task is named by its position in the request, from 0.
 */
export type HostRequest =
  | BatchRequest
  /** Ends the task at this position, if it is the one that runs; null: that and all that were to follow. */
  | { readonly kind: 'abort'; readonly position: number | null }
  | ({ readonly kind: 'secret'; readonly call: number } & SecretAnswer);

/** The value of a secret, or why there is none. */
export type SecretAnswer =
  | { readonly found: true; readonly value: string }
  | { readonly found: false; readonly message: string };

export type HostRecord =
  /** The modules are imported. */
  | readonly ['ready']
  | readonly ['log', position: number, text: string]
  | readonly ['end', position: number, durationMs: number, result: AttemptResult]
  /** The task asks for a secret; the answer names the call. */
  | readonly ['secret', position: number, call: number, name: string]
  /** It succeeded, with an output. */
  | readonly ['output', position: number, durationMs: number, output: JsonObject]
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

/** Without output, made once: most tasks of a large batch end so. */
export const succeeded: AttemptResult = { outcome: 'succeeded' };

/** What a thread is started with. */
export interface ThreadData {
  readonly modules: readonly string[];
  readonly outbox: SharedArrayBuffer;
}
