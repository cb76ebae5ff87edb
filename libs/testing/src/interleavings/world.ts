import type { Plan } from '@runnel/core';
import { Shares } from '@runnel/engine';
import { ShardLeases } from '@runnel/listener/shards';
import {
  cancelChannel,
  cancelTasksChannel,
  editChannel,
  pauseChannel,
  type RedisClient,
} from '@runnel/store';
import type { RunCancels } from '@runnel/worker/run-cancels';
import type { Redis } from 'ioredis';
import type { Graph } from '../random-graph.ts';
import { type Call, gateRedis } from './gated-redis.ts';
import { clockKey, Growth } from './growth.ts';
import { JobQueue } from './job-queue.ts';
import { type Operation, Process, type Role } from './process.ts';
import { ProtocolWatch } from './protocol-watch.ts';
import { Revisions } from './revisions.ts';
import { type ChangeKind, names, namespace, runId, type Scene, shard } from './scene.ts';
import { scriptOf, type Variant } from './variant.ts';

/** Something about the run that must never be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A worker under exploration, as others see it. */
export interface ModelWorker {
  readonly process: Process;
  readonly cancels: RunCancels;
  /** Aborted by SIGTERM after the grace period; nothing more is taken then. */
  readonly shutdown: AbortController;
  checkCancels(): Promise<void>;
  /** Looks which of its tasks were cancelled. */
  checkTasks(): Promise<void>;
  /** Looks which of its deliveries an edit has closed. */
  checkEdited(): Promise<void>;
}

/** A listener under exploration, as others see it. */
export interface ModelListener {
  readonly process: Process;
  readonly leases: ModelLeases;
  readonly chores: readonly (() => Promise<void>)[];
  /** Chores under way: none is started twice. */
  readonly busy: Set<number>;
  hasUnfinished(): boolean;
}

/** All that there is in one case, on a logical database of its own. */
export class World {
  readonly scene: Scene;
  readonly redis: Redis;
  readonly variant: Variant;
  readonly watch: ProtocolWatch;
  readonly jobs = new JobQueue();
  readonly processes: Process[] = [];
  readonly workers: ModelWorker[] = [];
  readonly listeners: ModelListener[] = [];
  nowMs = 1_800_000_000_000;
  isAcknowledged = false;
  /** Changes that were begun, as far as anybody knows. */
  readonly changed = new Set<ChangeKind>();
  /** The stream may have entries that nobody has read. */
  hasNews = true;
  /** What was done, for people who look for the cause of a failure. */
  readonly log: string[] = [];
  violation: Violation | null = null;
  /** What the run is made of, as edits have it. */
  readonly revisions: Revisions;
  /** Null where no task generates tasks. */
  readonly growth: Growth | null;
  /** Ends a process as `kill -9` does. */
  kill: (process: Process) => void = (process) => process.die();
  /** What was appended to the stream, as often as it was. */
  readonly #entries: (readonly unknown[])[] = [];

  constructor(redis: Redis, scene: Scene, variant: Variant) {
    this.redis = redis;
    this.scene = scene;
    this.variant = variant;
    this.growth = scene.growing === null ? null : new Growth(redis, scene, scene.growing);
    this.revisions = new Revisions(redis, scene, {
      log: this.log,
      fail: (what) => this.fail(what),
    });
    const { deliveries, meta, paused, state } = names;
    const keys = scene.changes.length === 0 ? { deliveries } : { deliveries, meta, paused, state };
    this.watch = new ProtocolWatch({ redis, ...keys, fail: (what) => this.fail(what) });
  }

  spawn(role: Role, index: number): Process {
    const process = new Process(role, index, this);
    this.processes.push(process);
    return process;
  }

  /** A connection of a process. */
  connect(process: Process, connection: string, hasNews = (): boolean => this.hasNews): Redis {
    return gateRedis(this.redis, {
      pass: async (operation: Operation) => await process.pass(connection, operation),
      hasNews,
      carry: (call, send) => this.#carry(process, call, send),
    });
  }

  /** Puts an entry of the stream into it once more. */
  async repeatEntry(nth: number): Promise<void> {
    const args = this.#entries[nth % Math.max(1, this.#entries.length)];
    if (args === undefined) return;
    const [key, , ...fields] = args.map((arg) => (Buffer.isBuffer(arg) ? arg : String(arg)));
    await this.redis.xadd(String(key), '*', ...fields);
    this.hasNews = true;
  }

  fail(what: string): void {
    this.violation ??= new Violation(what);
  }

  /** The nodes of the run by number, as they stand. */
  get graph(): Graph {
    return this.revisions.graph;
  }

  /** The same as its ends will be: what is poison fails. */
  get expected(): Graph {
    const { poison } = this.scene;
    if (poison === null) return this.graph;
    return this.graph.map((node, id) =>
      id === poison ? { ...node, attempts: ['failed'], retries: 0 } : node,
    );
  }

  /** Of the run that is submitted. */
  plan(): Plan {
    return this.growth?.plan ?? this.revisions.plan(null);
  }

  live(): readonly Process[] {
    return this.processes.filter(({ isDead }) => !isDead);
  }

  /** A command on its way to Redis, as the variant will have it. */
  #carry(process: Process, call: Call, send: (args: readonly unknown[]) => unknown): unknown {
    const [name, args] = call;
    if (name === 'xadd') {
      this.#entries.push(args);
      this.hasNews = true;
    }
    if (args[0] === 'XREADGROUP' && args.flat().at(-1) === '>') this.hasNews = false;
    if (name === 'publish') this.#tell(args[0]);
    const { scripts, detour } = this.variant;
    const sha = scriptOf(args) === undefined ? undefined : scripts.get(String(args[1]));
    const sent = sha === undefined ? args : ['EVALSHA', sha, ...args.slice(2)];
    const go = (): unknown =>
      detour === undefined ? send(sent) : detour(this.redis, call, () => send(sent));
    const script = scriptOf(args);
    if (script === 'append-tasks' || script === 'write-generated') {
      return this.redis
        .set(clockKey, this.nowMs)
        .then(() => this.watch.carry(process.name, call, go));
    }
    if (script !== 'swap-revision') return this.watch.carry(process.name, call, go);
    return this.revisions.carrySwap(process, go);
  }

  #tell(channel: unknown): void {
    for (const { process, cancels, checkTasks, checkEdited } of this.workers) {
      if (process.isDead || process.isFrozen) continue;
      if (channel === cancelChannel(namespace)) cancels.cancel(runId);
      if (channel === pauseChannel(namespace)) cancels.distrust(runId);
      if (channel === cancelTasksChannel(namespace)) {
        cancels.distrust(runId);
        process.start(checkTasks);
      }
      if (channel !== editChannel(namespace)) continue;
      cancels.distrust(runId);
      process.start(checkEdited);
    }
  }
}

/** The lease of the one shard that matters, as the schedule hands it around. */
export class ModelLeases extends ShardLeases {
  isOwner: boolean;
  isFresh: boolean;

  constructor(redis: RedisClient, isOwner: boolean) {
    super(redis, namespace, 'model');
    this.isOwner = isOwner;
    this.isFresh = isOwner;
  }

  override owned(): readonly number[] {
    return this.isOwner ? [shard] : [];
  }

  override takeFresh(): readonly number[] {
    const isFresh = this.isOwner && this.isFresh;
    this.isFresh = false;
    return isFresh ? [shard] : [];
  }

  override readPendingAgain(): void {
    this.isFresh = true;
  }

  take(): void {
    this.isOwner = true;
    this.isFresh = true;
  }

  giveUp(): void {
    this.isOwner = false;
  }
}

/** Every run gets the same share. */
export class ModelShares extends Shares {
  readonly #scene: Scene;

  constructor(redis: RedisClient, scene: Scene) {
    super(redis, namespace);
    this.#scene = scene;
  }

  override of(queues: readonly string[]): ReturnType<Shares['of']> {
    const { window, slots } = this.#scene;
    return queues.map(() => ({ window, slots }));
  }
}
