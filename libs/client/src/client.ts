import type { RunState, TaskState } from '@runnel/core';
import { bundles } from './bundles.ts';
import {
  type ChangeAnswer,
  type ChangeOptions,
  changing,
  type EditOptions,
  type PreviewOptions,
  type RetryOptions,
} from './changing.ts';
import { UnreachableError } from './errors.ts';
import { following } from './following.ts';
import { Http, type HttpOptions } from './http.ts';
import { reading } from './reading.ts';
import { runPath } from './run-path.ts';
import { submitting } from './submitting.ts';
import { type FailedWebhooksQuery, webhooks } from './webhooks.ts';
import type {
  WireAccepted,
  WireImported,
  WireRetried,
  WireRun,
  WireRunPage,
  WireSubmitted,
  WireTagCounts,
  WireTask,
  WireTaskPage,
  WireValidated,
} from './wire.ts';
import type { WireEdited } from './wire-edit.ts';
import type { WireEvent } from './wire-events.ts';
import { type WireDoctor, type WireWorker, wireDoctor } from './wire-service.ts';
import type { WireEstimate, WireStatistics } from './wire-statistics.ts';
import type { WireFailedWebhook, WireFailedWebhooks, WireRunWebhooks } from './wire-webhooks.ts';
import type { WireWhy } from './wire-why.ts';

/**
 * A spec as text, or as a value that is sent as JSON; or line by line: the spec without its tasks, then
 * one task a line. Lines, without their line breaks, are sent as they come and never held.
 */
export type SpecDocument =
  | { readonly text: string; readonly format: 'json' | 'yaml' }
  | { readonly value: unknown }
  | { readonly lines: Iterable<string> | AsyncIterable<string> };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** The same key with the same spec is the same run. */
  readonly idempotencyKey?: string;
  /** Only create the run; `startRun` starts it within 24 h. */
  readonly createdOnly?: boolean;
  /** The spec's folder, absolute, for `{{run.source}}`; accepted from this machine only. */
  readonly source?: string;
}

/** Runs that are wanted: all that is given must hold. */
export interface RunFilters {
  /** All of them: `team:data`, `team:da*` (begins so), `team` (whatever it says). */
  readonly tags?: readonly string[];
  /** The whole name. */
  readonly name?: string;
  /** A part of the name, in either case. */
  readonly text?: string;
  readonly endedSince?: Date;
  readonly endedUntil?: Date;
  readonly state?: RunState;
  readonly since?: Date;
  readonly until?: Date;
}

export interface ListRunsQuery extends RunFilters, CallOptions {
  /** At most 200; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface HistoryQuery extends RunFilters, CallOptions {
  /** The newest so many that have ended; at most 1000, default 100. */
  readonly runs?: number;
}

export interface ListTagsQuery extends CallOptions {
  readonly key?: string;
  readonly prefix?: string;
  /** At most 1000; default 100. */
  readonly limit?: number;
}

export interface ListTasksQuery extends CallOptions {
  readonly class?: string;
  readonly state?: TaskState;
  /** At most 1000; default 100. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface LogOptions extends CallOptions {
  /** Default: the last. */
  readonly attempt?: number;
}

export interface EventOptions extends CallOptions {
  /** The number of the last event that is known already. Default: none is. */
  readonly after?: number;
}

export interface DoctorOptions extends CallOptions {
  /** Default: every run that has not ended, and the service. */
  readonly run?: string;
  /** Mends what is found. Default false. */
  readonly repairs?: boolean;
}

export interface LogText {
  /** Starts with a line that says so where bytes were dropped. */
  readonly text: string;
  readonly droppedBytes: number;
}

/** Every call throws ApiError or UnreachableError; `task` is an id or a number. */
export interface Client {
  submitRun(
    spec: SpecDocument,
    options?: SubmitOptions,
  ): Promise<WireSubmitted & { isNew: boolean }>;
  /** What the spec would become; nothing is stored. */
  validateRun(
    spec: SpecDocument,
    options?: Pick<SubmitOptions, 'source' | 'signal'>,
  ): Promise<WireValidated>;
  /** Starts a run that was only created. */
  startRun(id: string, options?: CallOptions): Promise<WireAccepted>;
  listRuns(query?: ListRunsQuery): Promise<WireRunPage>;
  getRun(id: string, options?: CallOptions): Promise<WireRun>;
  /** With `revision` an earlier one, while it is kept. */
  getSpec(
    id: string,
    options?: CallOptions & { readonly revision?: number | undefined },
  ): Promise<unknown>;
  /** The number of the spec's revision, from 1: each edit raises it. */
  readRevision(id: string, options?: CallOptions): Promise<number>;
  getTasks(id: string, query?: ListTasksQuery): Promise<WireTaskPage>;
  getTask(id: string, task: string | number, options?: CallOptions): Promise<WireTask>;
  /** What the run waits for, or why it ended so; with a task: that task. */
  why(id: string, task?: string | number, options?: CallOptions): Promise<WireWhy>;
  /** What was measured of a run's classes. */
  getStatistics(id: string, options?: CallOptions): Promise<WireStatistics>;
  /** What was measured of runs that have ended, by class. */
  getHistory(query?: HistoryQuery): Promise<WireStatistics>;
  /** How long a run that goes on will take. */
  getEstimate(id: string, options?: CallOptions): Promise<WireEstimate>;
  getLog(id: string, task: string | number, options?: LogOptions): Promise<LogText>;
  /** The log as it grows, until the attempt has ended. Break out of the loop, or abort, to stop. */
  followLog(id: string, task: string | number, options?: LogOptions): AsyncIterable<string>;
  /**
   * Events of a run as they come, to its end: what happened before first. Break out of the loop, or
   * abort, to stop; go on with `after`.
   */
  followEvents(id: string, options?: EventOptions): AsyncIterable<WireEvent>;
  /** Cancels a run, or those of its tasks that are named; the others go on. */
  cancelRun(id: string, options?: ChangeOptions): Promise<ChangeAnswer>;
  /** What runs goes on, nothing more starts: of the run, or of the classes and tasks that are named. */
  pauseRun(id: string, options?: ChangeOptions): Promise<ChangeAnswer>;
  resumeRun(id: string, options?: ChangeOptions): Promise<ChangeAnswer>;
  /** Brings tasks back with all that hangs on them. `isNew` is false where nothing was changed. */
  retryRun(id: string, options?: RetryOptions): Promise<WireRetried & { isNew: boolean }>;
  /** Gives a run another spec; tasks that it does not change keep their results. */
  editRun(id: string, spec: SpecDocument, options: EditOptions): Promise<WireEdited>;
  /** What an edit would do with each task; nothing is changed. */
  previewEdit(id: string, spec: SpecDocument, options?: PreviewOptions): Promise<WireEdited>;
  deleteRun(id: string, options?: CallOptions): Promise<void>;
  /** All of a run that has ended, as lines of JSON, while they come. */
  exportRun(id: string, options?: CallOptions): AsyncIterable<string>;
  /** Stores the run of a bundle; its lines are sent as they come. */
  importRun(bundle: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<WireImported>;
  /** Keys of tags; with a key, its values that begin with `prefix`. */
  listTags(query?: ListTagsQuery): Promise<WireTagCounts['tags']>;
  /** How far the webhooks of a run have got. */
  getWebhooks(id: string, options?: CallOptions): Promise<WireRunWebhooks>;
  /** What webhooks have given up, newest first. */
  listFailedWebhooks(query?: FailedWebhooksQuery): Promise<WireFailedWebhooks>;
  /** Has sent again what a webhook has given up. */
  retryWebhook(id: string, options?: CallOptions): Promise<WireFailedWebhook>;
  listWorkers(options?: CallOptions): Promise<readonly WireWorker[]>;
  /** Checks one run, or all that have not ended and the service; takes seconds. */
  askDoctor(options?: DoctorOptions): Promise<WireDoctor>;
  /** False also where nothing answers. */
  isReady(options?: CallOptions): Promise<boolean>;
}

/**
 * A client of the HTTP API.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:2503' });
 * const { id } = await client.submitRun({ value: { tasks: [{ class: 'a', executor: 'noop' }] } });
 * const run = await client.getRun(id);
 * await client.submitRun({ lines: ['{}', '{"class":"a","executor":"noop"}'] });
 */
export function createClient(options: HttpOptions): Client {
  const http = new Http(options);
  return {
    ...submitting(http),
    ...reading(http),
    ...following(http),
    ...changing(http),
    ...bundles(http),
    ...webhooks(http),
    async deleteRun(id, options = {}) {
      await http.send({ method: 'DELETE', path: runPath(id), signal: options.signal });
    },
    askDoctor: ({ run, repairs, signal } = {}) =>
      http.read(wireDoctor, {
        method: repairs === true ? 'POST' : 'GET',
        path: run === undefined ? '/api/v1/doctor' : `${runPath(run)}/doctor`,
        isTimed: false,
        signal,
      }),
    async isReady(options = {}) {
      try {
        const request = { method: 'GET', path: '/readyz', signal: options.signal } as const;
        const response = await http.sendRaw(request);
        await response.body?.cancel();
        return response.ok;
      } catch (error: unknown) {
        if (error instanceof UnreachableError) return false;
        throw error;
      }
    },
  };
}
