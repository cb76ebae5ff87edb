import { hostname } from 'node:os';
import { type Archive, openArchive } from '@runnel/archive';
import { Enqueuer, type HookDeliverer, LostDeliveries, RunNews, Shares } from '@runnel/engine';
import { DeliveryQueues } from '@runnel/queue';
import { type Logger, type Metrics, repeat, type Settings } from '@runnel/service';
import {
  Chores,
  checkRedis,
  connectRedis,
  openStore,
  type RedisClient,
  RunInfoCache,
} from '@runnel/store';
import { ArchiveRuns } from './archive-runs.ts';
import { DoctorWatch } from './doctor-watch.ts';
import { Housekeeping } from './housekeeping.ts';
import { OutcomeReader } from './read-outcomes.ts';
import { RunTurns, type TurnContext } from './run-turns.ts';
import { ShardLeases } from './shards.ts';
import { createWebhooks } from './webhooks.ts';

const renewEveryMs = 1_000;
const dueEveryMs = 100;
const visitEveryMs = 2_000;
const lostEveryMs = 2_000;
const removeEveryMs = 15_000;
const forgetEveryMs = 3_600_000;
const doctorEveryMs = 60_000;
const moveEveryMs = 5_000;
const pruneEveryMs = 60_000;
const webhooksEveryMs = 250;

export interface ListenerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A running listener; disposing it settles what was read and gives its shards free. */
export interface RunningListener extends AsyncDisposable {
  whyNotReady(): string | null;
}

export async function startListener(options: ListenerOptions): Promise<RunningListener> {
  const { settings, logger } = options;
  const onError = (error: Error): void => logger.warn({ err: error }, error.message);
  const redis = connectRedis(settings.redisUrl, onError);
  const blocking = connectRedis(settings.redisUrl, onError);
  const sweeping = connectRedis(settings.redisUrl, onError, { gathersCommands: true });
  await checkRedis(redis, {
    durability: settings.durability,
    warn: (message) => logger.warn(message),
  });
  await openStore(redis, settings.namespace);
  const archive = await openArchive({ ...settings, onError });

  const parts = wire({ ...options, redis, blocking, sweeping, archive, onError });
  const stop = new AbortController();
  await parts.shares.refresh(Date.now());
  await parts.leases.renew(Date.now());
  const reading = parts.reader.run(stop.signal);
  const timers = startTimers(parts, onError);
  logger.info({ shards: parts.leases.owned().length }, 'settling outcomes');
  return {
    whyNotReady: () => (redis.status === 'ready' ? null : `Redis is ${redis.status}`),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      stop.abort();
      await parts.archiveRuns?.stop();
      await Promise.all([reading, parts.webhooks[Symbol.asyncDispose]()]);
      await parts.chores.flush();
      await parts.leases.freeAll();
      await parts.queues[Symbol.asyncDispose]();
      parts.queueRedis.disconnect();
      parts.hookRedis.disconnect();
      blocking.disconnect();
      sweeping.disconnect();
      redis.disconnect();
      await archive?.[Symbol.asyncDispose]();
    },
  };
}

interface Parts {
  readonly shares: Shares;
  readonly leases: ShardLeases;
  readonly queues: DeliveryQueues;
  readonly queueRedis: RedisClient;
  readonly enqueuer: Enqueuer;
  readonly chores: Chores;
  readonly housekeeping: Housekeeping;
  readonly reader: OutcomeReader;
  readonly doctor: DoctorWatch;
  readonly archiveRuns: ArchiveRuns | null;
  readonly webhooks: HookDeliverer;
  readonly hookRedis: RedisClient;
}

function wire(
  options: ListenerOptions & {
    readonly redis: RedisClient;
    readonly blocking: RedisClient;
    readonly sweeping: RedisClient;
    readonly archive: Archive | null;
    onError(error: Error): void;
  },
): Parts {
  const { settings, logger, redis, blocking, archive, onError } = options;
  const { namespace } = settings;
  const now = Date.now;
  const infos = new RunInfoCache(redis, namespace);
  const shares = new Shares(options.sweeping, namespace);
  // BullMQ defines its scripts on the connection, and every pipeline on it copies the list of them.
  const connection = connectRedis(settings.redisUrl, onError);
  const queues = new DeliveryQueues({ connection, namespace, onError });
  const chores = new Chores(redis, onError);
  const enqueuer = new Enqueuer(queues, chores);
  const name = `${hostname()}.${process.pid}.${now()}`;
  const leases = new ShardLeases(options.sweeping, namespace, name);
  const base = { redis, namespace, infos, shares, chores, now };
  const onAccepted = countAccepted(options.metrics, leases);
  const news = new RunNews(chores, namespace);
  const random = Math.random;
  const turns = new RunTurns({ ...base, enqueuer, news, random, onAccepted, onError });
  const reader = new OutcomeReader({ ...base, blocking, leases, turns, logger });
  const lost = new LostDeliveries({ redis, namespace, queues });
  const housekeeping = new Housekeeping({
    ...{ ...base, leases, turns, lost, archive, logger },
    keepMs: archive === null ? settings.keepMs : Number.POSITIVE_INFINITY,
    sweeping: options.sweeping,
  });
  const archiveRuns =
    archive === null ? null : new ArchiveRuns({ ...base, ...settings, archive, leases, logger });
  const { sweeping, metrics } = options;
  const doctor = new DoctorWatch({ sweeping, namespace, leases, metrics, now });
  const hookRedis = connectRedis(settings.redisUrl, onError);
  const owned = (): readonly number[] => leases.owned();
  const webhooks = createWebhooks({ settings, redis: hookRedis, name, logger, metrics, owned });
  const parts = { shares, leases, queues, enqueuer, chores, housekeeping, reader, doctor };
  return { ...parts, archiveRuns, webhooks, hookRedis, queueRedis: connection };
}

function startTimers(parts: Parts, onError: (error: Error) => void): readonly NodeJS.Timeout[] {
  const { shares, leases, enqueuer, housekeeping, archiveRuns } = parts;
  const renew = async (): Promise<void> => {
    await Promise.all([leases.renew(Date.now()), shares.refresh(Date.now())]);
    enqueuer.sweep(Date.now());
  };
  const work: readonly (readonly [number, () => Promise<void>])[] = [
    [renewEveryMs, renew],
    [dueEveryMs, () => housekeeping.releaseDue()],
    [visitEveryMs, () => housekeeping.visitActive()],
    [lostEveryMs, () => housekeeping.reissueLost()],
    [removeEveryMs, () => housekeeping.removeOld()],
    [forgetEveryMs, () => housekeeping.forgetNumbers()],
    [doctorEveryMs, () => parts.doctor.look()],
    [moveEveryMs, async () => archiveRuns?.moveEnded()],
    [pruneEveryMs, async () => archiveRuns?.prune()],
    [pruneEveryMs, async () => archiveRuns?.dropDeleted()],
    [webhooksEveryMs, () => parts.webhooks.round()],
  ];
  return work.map(([everyMs, run]) => repeat(everyMs, run, onError));
}

function countAccepted(metrics: Metrics, leases: ShardLeases): TurnContext['onAccepted'] {
  const accepted = metrics.counter({
    name: 'outcomes_accepted_total',
    help: 'Outcomes that were accepted',
  });
  const refused = metrics.counter({
    name: 'outcomes_duplicate_total',
    help: 'Outcomes that came again, or of a claim that was lost',
  });
  metrics.gauge({
    name: 'shards_owned',
    help: 'Shards that this listener owns',
    read: () => leases.owned().length,
  });
  return (count, duplicates) => {
    accepted.inc(count);
    refused.inc(duplicates);
  };
}
