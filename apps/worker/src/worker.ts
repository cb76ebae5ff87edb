import { hostname } from 'node:os';
import { AttemptAbort, type ExecutorEnvironment, lanes } from '@runnel/core';
import { DeliveryExecutor, type GeneratorTools, Pace, routeOf } from '@runnel/engine';
import { type ExecutorRegistry, executorCatalog, loadExecutors } from '@runnel/executors';
import {
  type Consumer,
  consumeDeliveries,
  type JobEnd,
  queueName,
  type StartedJob,
} from '@runnel/queue';
import {
  createSecretSource,
  type Logger,
  type Metrics,
  repeat,
  type Settings,
} from '@runnel/service';
import {
  checkRedis,
  connectRedis,
  fenceOf,
  openStore,
  type RedisClient,
  RunInfoCache,
  runHandle,
  signOff,
  signOn,
  takeWorkerNumber,
} from '@runnel/store';
import { WorkerExecutors } from './executor-pool.ts';
import { shownLog, toJobEnd } from './job-end.ts';
import { RunCancels } from './run-cancels.ts';
import { TurnParts } from './turn-parts.ts';

const signEveryMs = 1_000;
const checkCancelsEveryMs = 2_000;
const version = '0.1.0';

export interface WorkerOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Takes deliveries of the pools that it serves. The loop that claims and renews runs no user code. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { settings, logger } = options;
  const onError = (error: Error): void => logger.warn({ err: error }, error.message);
  const redis = connectRedis(settings.redisUrl, onError);
  await checkRedis(redis, {
    durability: settings.durability,
    warn: (message) => logger.warn(message),
  });
  await openStore(redis, settings.namespace);
  const registry = await loadExecutors({ modules: settings.executors });
  const name = `${hostname()}.${process.pid}.${Date.now().toString(36)}`;
  const number = await takeWorkerNumber(redis, settings.namespace, name);
  const worker = new RunningWorker({ ...options, redis, registry, name, number, onError });
  await worker.start();
  return worker;
}

interface WorkerParts extends WorkerOptions {
  readonly redis: RedisClient;
  readonly registry: ExecutorRegistry;
  readonly name: string;
  readonly number: number;
  onError(error: Error): void;
}

/** A running worker; disposing it waits for the grace period and hands back what is left. */
export class RunningWorker implements AsyncDisposable {
  readonly #parts: WorkerParts;
  readonly #slots: Readonly<Record<string, number>>;
  readonly #startedAt = Date.now();
  readonly #infos: RunInfoCache;
  readonly #executors: WorkerExecutors;
  readonly #executor: DeliveryExecutor;
  readonly #subscriber: RedisClient;
  readonly #queueRedis: RedisClient;
  readonly #turnParts: TurnParts;
  readonly #settling = new Set<Promise<void>>();
  readonly #cancels = new RunCancels();
  readonly #shutdown = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #consumers: readonly Consumer[] = [];
  #running = 0;
  #isStopping = false;

  constructor(parts: WorkerParts) {
    const { settings, redis, registry, name, number } = parts;
    this.#parts = parts;
    this.#slots = slotsOf(settings);
    this.#infos = new RunInfoCache(redis, settings.namespace);
    this.#executors = new WorkerExecutors(registry, (executor) =>
      environmentOf(settings, registry, executor),
    );
    this.#subscriber = connectRedis(settings.redisUrl, parts.onError);
    // BullMQ defines its scripts on the connection, and every pipeline on it copies the list of them.
    this.#queueRedis = connectRedis(settings.redisUrl, parts.onError);
    this.#turnParts = new TurnParts({
      ...{ settings, redis, queueRedis: this.#queueRedis, infos: this.#infos },
      onError: parts.onError,
    });
    this.#executor = new DeliveryExecutor({
      ...{ redis, namespace: settings.namespace, infos: this.#infos, executors: this.#executors },
      secrets: createSecretSource({ worker: name, dir: settings.secretsDir, env: process.env }),
      turns: this.#turnParts.turns,
      fence: fenceOf(redis, settings),
      generators: generatorsOf(settings, registry),
      pace: new Pace(),
      settling: this.#settling,
      slots: settings.concurrency,
      onError: parts.onError,
      worker: { name, number },
      maxDeaths: settings.maxDeaths,
      logTailBytes: settings.logTailBytes,
      logRunBytes: settings.logRunBytes,
      now: Date.now,
    });
  }

  async start(): Promise<void> {
    const { settings, redis, name, onError, logger } = this.#parts;
    await this.#cancels.listen(this.#subscriber, settings.namespace, (runId) => {
      const run = runHandle(settings.namespace, runId);
      // What fails is found by the next check.
      this.#cancels.checkTasks(redis, run).catch(onError);
      this.#cancels.checkEdited(redis).catch(onError);
    });
    await this.#sign();
    await this.#turnParts.start();
    // Its first thread takes a while to start; other executors cost nothing to open later.
    if (settings.functions.length > 0) await this.#executors.open('function');
    this.#measure();
    this.#consumers = await Promise.all(
      Object.entries(this.#slots).map(([queue, concurrency]) =>
        consumeDeliveries({
          ...{
            connection: this.#queueRedis,
            namespace: settings.namespace,
            queue,
            concurrency,
            name,
            onError,
          },
          process: (job) => this.#process(job),
        }),
      ),
    );
    this.#timers.push(
      repeat(signEveryMs, () => this.#sign(), onError),
      repeat(checkCancelsEveryMs, () => this.#cancels.check(redis, this.#infos), onError),
      repeat(checkCancelsEveryMs, () => this.#cancels.checkEdited(redis), onError),
    );
    logger.info({ worker: name, slots: this.#slots }, 'taking tasks');
  }

  whyNotReady(): string | null {
    const { status } = this.#parts.redis;
    return status === 'ready' ? null : `Redis is ${status}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { settings, redis, name, onError } = this.#parts;
    this.#isStopping = true;
    await this.#sign().catch(onError);
    const abort = (): void => this.#shutdown.abort(new AttemptAbort('shutdown'));
    const grace = setTimeout(abort, settings.graceMs);
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    await Promise.all(this.#settling);
    clearTimeout(grace);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#executors[Symbol.asyncDispose]();
    await this.#turnParts[Symbol.asyncDispose]();
    await signOff(redis, settings.namespace, name).catch(onError);
    this.#subscriber.disconnect();
    this.#queueRedis.disconnect();
    redis.disconnect();
  }

  async #process(job: StartedJob): Promise<JobEnd> {
    const { runId, carrier, attemptsStarted, lease } = job;
    this.#running++;
    const hold = this.#cancels.acquire(runId);
    try {
      const shutdown = this.#shutdown.signal;
      const { signal: cancel, mustClaim } = hold;
      const end = await this.#executor.execute({
        ...{ runId, carrier, attemptsStarted, mustClaim, lease, cancel, shutdown },
        watchTasks: hold.watch,
        onClaimed: hold.guard,
      });
      const log = shownLog(end);
      if (log !== '') await job.log(log);
      return toJobEnd(end);
    } finally {
      hold.release();
      this.#running--;
    }
  }

  #sign(): Promise<void> {
    const { redis, settings, registry, name, number } = this.#parts;
    return signOn(redis, settings.namespace, {
      ...{ name, number, version, host: hostname(), pid: process.pid },
      ...{ startedAt: this.#startedAt, seenAt: Date.now(), slots: this.#slots },
      ...{ executors: [...registry.names()], running: this.#running },
      isStopping: this.#isStopping,
    });
  }

  #measure(): void {
    const { metrics } = this.#parts;
    metrics.gauge({
      name: 'deliveries_running',
      help: 'Deliveries that this worker has claimed and not ended',
      read: () => this.#running,
    });
    const slots = metrics.gauge({
      name: 'slots',
      help: 'Deliveries that this worker takes at once',
      labels: ['queue'],
    });
    for (const [queue, count] of Object.entries(this.#slots)) slots.set({ queue }, count);
  }
}

/** Queue -> deliveries at once: what computes and what waits have limits of their own. */
function slotsOf(settings: Settings): Readonly<Record<string, number>> {
  const entries = settings.pools.flatMap((pool) =>
    lanes.map((lane): [string, number] => [
      queueName(pool, lane),
      lane === 'computes' ? settings.concurrency : settings.waitConcurrency,
    ]),
  );
  return Object.fromEntries(entries);
}

function environmentOf(
  settings: Settings,
  registry: ExecutorRegistry,
  executor: string,
): ExecutorEnvironment {
  const isComputing = registry.lane(executor) === 'computes';
  return {
    dataDir: settings.dataDir,
    concurrency: isComputing ? settings.concurrency : settings.waitConcurrency,
    functions: settings.functions,
    killGraceMs: settings.killGraceMs,
  };
}

/** What generated tasks are checked by is what a submitted spec is checked by. */
function generatorsOf(settings: Settings, registry: ExecutorRegistry): GeneratorTools {
  return {
    options: {
      limits: { maxTasks: settings.maxTasks, maxProduct: settings.maxProduct },
      executors: executorCatalog(registry),
      pools: Object.keys(settings.knownPools),
    },
    routeOf: (group) => routeOf(group, registry),
  };
}
