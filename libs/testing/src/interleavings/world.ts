import { runIdOfKey, Shares } from '@runnel/engine';
import { ShardLeases } from '@runnel/listener/shards';
import { cancelChannel, type RedisClient, runHandle, shardOf } from '@runnel/store';
import type { RunCancels } from '@runnel/worker/run-cancels';
import type { Redis } from 'ioredis';
import type { Graph } from '../random-graph.ts';
import { gateRedis, type Replacements } from './gated-redis.ts';
import { JobQueue } from './job-queue.ts';
import { type Operation, Process, type Role } from './process.ts';

/** What a case is, besides the order of its steps. */
export interface Scene {
  readonly graph: Graph;
  readonly maxBatch: number;
  readonly window: number;
  readonly slots: number;
  readonly parallelism: number | null;
  readonly stopsOnFailure: boolean;
  readonly isCancelled: boolean;
}

export const client = { client: 'c', key: 'k' };
export const runId = runIdOfKey(client.client, client.key);
export const shard = shardOf(runId);
export const namespace = 'x';
export const names = runHandle(namespace, runId).names;

/** Some tasks hand something on: which attempt it was that counted. */
export function hasOutput(id: number): boolean {
  return id % 3 === 0;
}

/** Something about the run that must never be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A worker under exploration, as others see it. */
export interface ModelWorker {
  readonly process: Process;
  readonly cancels: RunCancels;
  checkCancels(): Promise<void>;
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
  readonly replacements: Replacements;
  readonly jobs = new JobQueue();
  readonly processes: Process[] = [];
  readonly workers: ModelWorker[] = [];
  readonly listeners: ModelListener[] = [];
  nowMs = 1_800_000_000_000;
  isAcknowledged = false;
  /** The stream may have entries that nobody has read. */
  hasNews = true;
  /** What was done, for people who look for the cause of a failure. */
  readonly log: string[] = [];
  violation: Violation | null = null;

  constructor(redis: Redis, scene: Scene, replacements: Replacements) {
    this.redis = redis;
    this.scene = scene;
    this.replacements = replacements;
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
      onRead: () => {
        this.hasNews = false;
      },
      onCommand: (name, args) => this.#onCommand(name, args),
      replacements: this.replacements,
    });
  }

  fail(what: string): void {
    this.violation ??= new Violation(what);
  }

  live(): readonly Process[] {
    return this.processes.filter(({ isDead }) => !isDead);
  }

  #onCommand(name: string, args: readonly unknown[]): void {
    if (name === 'xadd') this.hasNews = true;
    if (name !== 'publish' || args[0] !== cancelChannel(namespace)) return;
    for (const { process, cancels } of this.workers) {
      if (!process.isDead && !process.isFrozen) cancels.cancel(runId);
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
