import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptAbort } from '@runnel/core';
import {
  cancelRun,
  cancelTasks,
  DeliveryExecutor,
  Enqueuer,
  type ExecutorFacts,
  editRun,
  type GeneratorTools,
  LostDeliveries,
  Pace,
  pauseParts,
  pauseRun,
  RunNews,
  resumeParts,
  resumeRun,
  retryRun,
  SlotTurns,
  submitRun,
} from '@runnel/engine';
import { Housekeeping } from '@runnel/listener/housekeeping';
import { OutcomeReader } from '@runnel/listener/read-outcomes';
import { RunTurns } from '@runnel/listener/run-turns';
import { createLogger } from '@runnel/service';
import { Chores, noFence, nudge, RunInfoCache, runHandle } from '@runnel/store';
import { RunCancels } from '@runnel/worker/run-cancels';
import { ModelQueues, type StartedModelJob } from './job-queue.ts';
import { ModelExecutors } from './model-executor.ts';
import type { Process } from './process.ts';
import { type ChangeKind, client, namespace, runId } from './scene.ts';
import {
  ModelLeases,
  type ModelListener,
  ModelShares,
  type ModelWorker,
  type World,
} from './world.ts';

/** More than a case has faults: only what is poison dies so often. */
const deathsOfPoison = 12;
/** Deliveries that one worker carries out at once. */
const slotsPerWorker = 2;
const logger = createLogger({ name: 'interleavings', level: 'silent' });

/** A client that submits under one idempotency key until it is answered, and the api that serves it. */
export function startApi(world: World): void {
  const process = world.spawn('api', 0);
  const redis = world.connect(process, 'redis');
  const executors = executorFacts(world);
  const plan = world.plan();
  process.start(async () => {
    while (!world.isAcknowledged) {
      const context = { redis, namespace, executors, now: world.nowMs };
      const spec = { kind: 'document', value: {} } as const;
      try {
        await submitRun(context, { plan, spec, source: null, priority: 0, idempotency: client });
        await nudge(redis, namespace, runId);
        world.isAcknowledged = true;
      } catch {
        await sleep(5_000);
      }
    }
  });
}

function executorFacts({ scene: { maxBatch } }: World): ExecutorFacts {
  return { lane: () => 'computes', maxBatch: () => maxBatch, isSideBySide: () => false };
}

/** A user who cancels the run; where the api dies meanwhile, the user does not try again. */
export function startCancel(world: World): void {
  const process = world.spawn('user', 0);
  const redis = world.connect(process, 'redis');
  process.start(async () => {
    await cancelRun(redis, namespace, runId, world.nowMs);
  });
}

/** A user who changes tasks of the run, or the whole; where the api dies meanwhile, that is all. */
export function startChange(world: World, kind: Exclude<ChangeKind, 'edit'> | 'resume'): void {
  const process = world.spawn('user', 0);
  const redis = world.connect(process, 'redis');
  if (kind !== 'resume') world.changed.add(kind);
  process.start(async () => {
    const context = { redis, now: world.nowMs, by: null };
    const info = await new RunInfoCache(redis, namespace).read(runId);
    const change = { selector: { classes: [changedClass(world)] }, isDryRun: false };
    switch (kind) {
      case 'pause':
        await pauseRun(redis, namespace, runId, world.nowMs);
        return;
      case 'pause-class':
        await pauseParts(context, info, change);
        return;
      case 'cancel-class':
        await cancelTasks(context, info, change);
        return;
      case 'retry':
        await retryRun(context, info, { selector: { from: [firstTask(world)] }, isDryRun: false });
        return;
      default:
        await resumeRun(redis, namespace, runId, world.nowMs);
        await resumeParts(context, info, change);
    }
  });
}

/** So often a user asks again who was told that the run can't be edited now. */
const editsAtMost = 4;

/** A user who gives the run a revision; where the api dies meanwhile, that is all. */
export function startEdit(world: World, revision: number): void {
  const process = world.spawn('user', 0);
  const redis = world.connect(process, 'redis');
  world.changed.add('edit');
  world.revisions.expect(process, revision);
  const plan = world.revisions.plan(revision);
  const spec = { kind: 'document', value: { revision } } as const;
  const context = { redis, executors: executorFacts(world), now: () => world.nowMs };
  process.start(async () => {
    for (let time = 0; time < editsAtMost; time++) {
      const info = await new RunInfoCache(redis, namespace).read(runId);
      const request = { plan, spec, source: null, priority: 0, by: null };
      const done = await editRun(context, info, request).catch(() => null);
      if (done !== null) return;
      await sleep(400);
    }
  });
}

/** The first task, or the first that generates tasks. */
export function firstTask({ scene: { graph }, growth }: World): number {
  if (growth !== null) return growth.generator;
  return Math.max(
    0,
    graph.findIndex(({ isBarrier }) => !isBarrier),
  );
}

/** The class of the first task; there may be barriers alone. */
export function changedClass(world: World): string {
  return world.growth?.changedClass ?? world.revisions.classOf(firstTask(world));
}

export function startWorker(world: World, index: number): void {
  const process = world.spawn('worker', index);
  const redis = world.connect(process, 'redis');
  const infos = new RunInfoCache(redis, namespace);
  const onError = (): undefined => undefined;
  const chores = new Chores(redis, onError);
  const queues = new ModelQueues(redis, process, world);
  const turns = new (world.scene.reportsOnly ? NoTurns : SlotTurns)({
    ...{ redis, namespace, infos, shares: new ModelShares(redis, world.scene) },
    ...{ enqueuer: new Enqueuer(queues, chores), news: new RunNews(chores, namespace) },
    ...{ now: () => world.nowMs, random: () => 0, onError },
  });
  const executor = new DeliveryExecutor({
    ...{ redis, namespace, infos, turns, onError },
    executors: new ModelExecutors(world, process),
    secrets: { read: () => Promise.reject(new Error('no task asks for one')) },
    fence: noFence,
    generators: world.growth?.tools ?? noGenerators,
    pace: new Pace(),
    settling: new Set(),
    slots: slotsPerWorker,
    worker: { name: process.name, number: index },
    maxDeaths: world.scene.poison === null ? 1_000 : deathsOfPoison,
    logTailBytes: 100,
    logRunBytes: 1_000,
    now: () => world.nowMs,
  });
  const cancels = new RunCancels();
  const worker: ModelWorker = {
    process,
    cancels,
    shutdown: new AbortController(),
    checkCancels: () => cancels.check(redis, infos),
    checkTasks: () => cancels.checkTasks(redis, runHandle(namespace, runId)),
    checkEdited: () => cancels.checkEdited(redis),
  };
  world.workers[index] = worker;
  for (let slot = 0; slot < slotsPerWorker; slot++) {
    process.start(() => serveSlot(world, worker, executor));
  }
}

/** No task of a model generates tasks. */
const noGenerators: GeneratorTools = {
  options: {
    limits: { maxTasks: 0, maxProduct: 0 },
    executors: { names: () => [], check: () => [] },
    pools: [],
  },
  routeOf: () => ({ queue: '', maxBatch: 1, isSideBySide: false }),
};

/** A worker whose own turns fail: all that it reports goes over the stream. */
class NoTurns extends SlotTurns {
  override async settle(): Promise<void> {
    throw new Error('this worker takes no turns');
  }
}

async function serveSlot(
  world: World,
  { process, cancels, shutdown }: ModelWorker,
  executor: DeliveryExecutor,
): Promise<void> {
  while (!shutdown.signal.aborted) {
    const job = await takeJob(world, process, shutdown.signal);
    if (job === null) continue;
    const hold = cancels.acquire(job.runId);
    try {
      const { carrier, attemptsStarted, lease } = job;
      await executor.execute({
        ...{ runId: job.runId, carrier, attemptsStarted, mustClaim: hold.mustClaim },
        ...{ lease: lease.signal, cancel: hold.signal, shutdown: shutdown.signal },
        watchTasks: hold.watch,
        onClaimed: hold.guard,
      });
    } catch {
      // A processor that throws ends its job all the same: as a failed one.
    } finally {
      hold.release();
    }
    await process.pass('queue', { label: `end ${job.id}`, run: () => world.jobs.end(job) });
  }
}

async function takeJob(
  world: World,
  process: Process,
  shutdown: AbortSignal,
): Promise<StartedModelJob | null> {
  let job: StartedModelJob | null = null;
  const { jobs } = world;
  await process.pass('take', {
    label: 'take',
    run: () => {
      job = jobs.take(process);
    },
    isEnabled: () => jobs.hasWaiting() && !shutdown.aborted,
  });
  return job;
}

/** SIGTERM, and the grace period is over: what runs is aborted and handed back. */
export function stopWorker({ shutdown }: ModelWorker): void {
  shutdown.abort(new AttemptAbort('shutdown'));
}

/** The lock of a job is gone, and its holder has noticed. */
export function loseLease(job: StartedModelJob): void {
  job.lease.abort(new AttemptAbort('lease-lost'));
}

export function startListener(world: World, index: number): void {
  const process = world.spawn('listener', index);
  const redis = world.connect(process, 'redis');
  const sweeping = world.connect(process, 'sweeping');
  const now = (): number => world.nowMs;
  const onError = (): undefined => undefined;
  const infos = new RunInfoCache(redis, namespace);
  const shares = new ModelShares(redis, world.scene);
  const chores = new Chores(redis, onError);
  const queues = new ModelQueues(redis, process, world);
  const hasOwner = world.listeners.some(
    ({ leases, process: other }) => leases.isOwner && !other.isDead,
  );
  const leases = new ModelLeases(redis, !hasOwner);
  const turns = new RunTurns({
    ...{ redis, infos, shares, enqueuer: new Enqueuer(queues, chores) },
    ...{ news: new RunNews(chores, namespace), now, random: () => 0, onError },
    onAccepted: onError,
  });
  const hasNews = (): boolean =>
    world.hasNews || leases.isFresh || !leases.isOwner || turns.hasUnfinished();
  const blocking = world.connect(process, 'blocking', hasNews);
  const reader = new OutcomeReader({
    ...{ redis, blocking, namespace, leases, turns, chores, logger },
  });
  const lost = new LostDeliveries({ redis, namespace, queues });
  const housekeeping = new Housekeeping({
    ...{ redis, sweeping, namespace, leases, turns, shares, infos, lost, logger, now },
    archive: null,
    keepMs: Number.POSITIVE_INFINITY,
  });
  const listener: ModelListener = {
    process,
    leases,
    chores: [
      () => housekeeping.visitActive(),
      () => housekeeping.releaseDue(),
      () => housekeeping.reissueLost(),
      () => housekeeping.removeOld(),
    ],
    busy: new Set(),
    hasUnfinished: () => turns.hasUnfinished(),
  };
  world.listeners[index] = listener;
  process.start(() => reader.run(new AbortController().signal));
}

/** One of a listener's chores, unless it is under way. */
export function startChore(listener: ModelListener, which: number): void {
  const chore = listener.chores[which];
  if (chore === undefined || listener.busy.has(which)) return;
  listener.busy.add(which);
  listener.process.start(() => chore().finally(() => listener.busy.delete(which)));
}
