import type { Archive } from '@runnel/archive';
import type { Clock } from '@runnel/core';
import type { ExecutorCatalog, ExecutorRegistry } from '@runnel/executors';
import type { Logger, Metrics, Settings } from '@runnel/service';
import type { Fence, LiveRuns, RedisClient, RunInfoCache } from '@runnel/store';
import type { Request } from 'express';
import type { ArchivedRuns } from './archive/archived-runs.ts';
import type { RunEstimates } from './estimates.ts';
import type { RunHistory } from './history.ts';
import type { RoomGuard } from './room-guard.ts';
import type { RunChannels } from './run-channels.ts';

/** What routes work with. */
export interface ApiContext {
  readonly settings: Settings;
  /** Fails within seconds where Redis is away. */
  readonly redis: RedisClient;
  /** What is acknowledged went through here. */
  readonly fence: Fence;
  readonly infos: RunInfoCache;
  /** Null: runs that ended are removed. */
  readonly archive: Archive | null;
  /** Runs wherever they are. */
  readonly runs: ArchivedRuns;
  readonly live: LiveRuns;
  readonly room: RoomGuard;
  readonly history: RunHistory;
  readonly estimates: RunEstimates;
  readonly executors: ExecutorRegistry;
  readonly catalog: ExecutorCatalog;
  readonly channels: RunChannels;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** A body of which nothing comes for so long is given up. */
  readonly bodySilenceMs: number;
  /** Aborted when the process stops: streams end. */
  readonly stopping: AbortSignal;
}

/** Where callers find this API: the public URL if one is set, else as they addressed it. */
export function baseUrl(context: Pick<ApiContext, 'settings'>, request: Request): string {
  const { publicUrl } = context.settings;
  if (publicUrl !== null) return publicUrl.replace(/\/+$/, '');
  return `${request.protocol}://${request.headers.host ?? 'localhost'}`;
}
