import { ConflictError, type Json, payloadChunk, type TaskPayload, taskId } from '@runnel/core';
import type { ChainableCommander } from 'ioredis';
import { z } from 'zod';
import { decodeGroups, decodePayloads, groupChunk, type StoredGroup } from './chunks.ts';
import { kept } from './kept.ts';
import type { KeyNames } from './keys.ts';
import { toUint32 } from './packed.ts';
import { factsOf, type RunFacts } from './run-facts.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** A task as it was planned. */
export interface PlannedTask {
  readonly number: number;
  readonly id: string;
  readonly groupNumber: number;
  readonly group: StoredGroup;
  readonly values: readonly Json[];
  readonly details: Json;
}

/** Chunks that one run keeps in memory: with 256 tasks each, about 16,000 tasks. */
const keptChunks = 64;

/** The immutable parts of one run, read when first needed and kept. */
export class RunInfo {
  readonly facts: RunFacts;
  readonly #redis: RedisClient;
  readonly #groups = new Map<number, Promise<readonly StoredGroup[]>>();
  readonly #payloads = new Map<number, Promise<readonly TaskPayload[]>>();
  #ranges: Promise<Uint32Array> | undefined;
  #firstChunks: FirstChunks;

  /** @param firstChunks what was read together with the facts: all that most runs have. */
  constructor(redis: RedisClient, facts: RunFacts, firstChunks: FirstChunks = {}) {
    this.#redis = redis;
    this.facts = facts;
    this.#firstChunks = firstChunks;
  }

  async group(number: number): Promise<StoredGroup> {
    const chunk = Math.floor(number / groupChunk);
    const groups = await kept(this.#groups, chunk, keptChunks * 4, () => this.#readGroups(chunk));
    const group = groups[number % groupChunk];
    if (group === undefined) throw new Error(`run ${this.facts.handle.id} has no group ${number}`);
    return group;
  }

  /** All groups, in order. */
  async groups(): Promise<readonly StoredGroup[]> {
    const chunks = Math.ceil(this.facts.groupCount / groupChunk);
    const read = Array.from({ length: chunks }, (_, chunk) => this.group(chunk * groupChunk));
    await Promise.all(read);
    const all = await Promise.all(
      [...Array(chunks).keys()].map((chunk) => this.#groups.get(chunk)),
    );
    return all.flatMap((groups) => groups ?? []);
  }

  /** Pairs (first id, group). */
  ranges(): Promise<Uint32Array> {
    this.#ranges ??= this.#readChecked((pipeline, { groupRanges }) =>
      pipeline.getBuffer(groupRanges),
    ).then((raw) => toUint32(raw ?? Buffer.alloc(0)));
    return this.#ranges;
  }

  async payload(number: number): Promise<TaskPayload> {
    const rows = await this.#payloadChunk(Math.floor(number / payloadChunk));
    return rows[number % payloadChunk] ?? noPayload;
  }

  async task(number: number): Promise<PlannedTask> {
    const groupNumber = groupAt(await this.ranges(), number);
    return this.taskOf(number, groupNumber);
  }

  /** The same, where the group is known. */
  async taskOf(number: number, groupNumber: number): Promise<PlannedTask> {
    return toTask(number, groupNumber, await this.group(groupNumber), await this.payload(number));
  }

  /** Several tasks of one group: each chunk is waited for once, not once a task. */
  async tasksOf(numbers: readonly number[], groupNumber: number): Promise<readonly PlannedTask[]> {
    const group = await this.group(groupNumber);
    const chunks = chunksOf(numbers);
    const rows = await Promise.all(chunks.map((chunk) => this.#payloadChunk(chunk)));
    const byChunk = new Map(chunks.map((chunk, index) => [chunk, rows[index]]));
    return numbers.map((number) => {
      const payload = byChunk.get(Math.floor(number / payloadChunk))?.[number % payloadChunk];
      return toTask(number, groupNumber, group, payload ?? noPayload);
    });
  }

  /** Begins to read what `tasksOf` will need; an error comes out there. */
  prefetch(numbers: readonly number[]): void {
    for (const chunk of chunksOf(numbers)) this.#payloadChunk(chunk).catch(() => undefined);
  }

  #payloadChunk(chunk: number): Promise<readonly TaskPayload[]> {
    return kept(this.#payloads, chunk, keptChunks, () => this.#readPayloads(chunk));
  }

  async #readGroups(chunk: number): Promise<readonly StoredGroup[]> {
    const first = chunk === 0 ? this.#firstChunks.groups : undefined;
    const { groups } = this.facts.handle.names;
    const raw = first ?? (await this.#redis.hgetBuffer(groups, String(chunk)));
    return raw === null ? [] : decodeGroups(raw);
  }

  async #readPayloads(chunk: number): Promise<readonly TaskPayload[]> {
    const first = chunk === 0 ? this.#firstChunks.payload : undefined;
    if (first !== undefined) return decodePayloads(first);
    const raw = await this.#readChecked((pipeline, { payload }) =>
      pipeline.hgetBuffer(payload, String(chunk)),
    );
    return decodePayloads(raw);
  }

  /** Throws RunChangedError where the run has another revision than these parts. */
  async checkRevision(): Promise<void> {
    const { handle, revision } = this.facts;
    const now = await this.#redis.hget(handle.names.meta, 'revision');
    if (now !== null && Number(now) !== revision) throw new RunChangedError(handle.id);
  }

  /** What an edit replaces: read before the revision, so that nothing of another one gets in. */
  async #readChecked(
    read: (pipeline: ChainableCommander, names: KeyNames) => ChainableCommander,
  ): Promise<Buffer | null> {
    const { handle, revision } = this.facts;
    const pipeline = read(this.#redis.pipeline(), handle.names);
    const replies = (await pipeline.hget(handle.names.meta, 'revision').exec()) ?? [];
    const [raw, now] = replies.map(([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    });
    if (typeof now === 'string' && Number(now) !== revision) throw new RunChangedError(handle.id);
    return Buffer.isBuffer(raw) ? raw : null;
  }
}

/** The run was edited since its parts were read: they are to be read again. */
export class RunChangedError extends ConflictError {
  constructor(id: string) {
    super(`run ${id} was edited while it was read: ask again`, 'IN_FLIGHT');
  }
}

/** As they lie in Redis; absent: not read so far. */
interface FirstChunks {
  readonly groups?: Buffer;
  readonly payload?: Buffer;
}

function chunksOf(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers.map((number) => Math.floor(number / payloadChunk)))];
}

const noPayload: TaskPayload = { values: [] };

function toTask(
  number: number,
  groupNumber: number,
  group: StoredGroup,
  payload: TaskPayload,
): PlannedTask {
  const details = payload.details ?? group.details;
  return {
    number,
    id: taskId(group, payload),
    groupNumber,
    group,
    values: payload.values,
    details,
  };
}

/** The group of a node, by binary search over (first id, group) pairs. */
export function groupAt(ranges: Uint32Array, number: number): number {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ranges[middle * 2] ?? 0) <= number) low = middle;
    else high = middle - 1;
  }
  return ranges[low * 2 + 1] ?? 0;
}

/** Facts, first groups and first payloads in one round trip; throws NotFoundError where there is no such run. */
export async function readRunInfo(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<RunInfo> {
  const { names } = runHandle(namespace, id);
  const replies = await redis
    .pipeline()
    .hgetall(names.meta)
    .hgetBuffer(names.groups, '0')
    .hgetBuffer(names.payload, '0')
    .hget(names.meta, 'revision')
    .exec();
  const [meta, groups, payload, revision] = (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
  const facts = factsOf(namespace, id, z.record(z.string(), z.string()).parse(meta));
  // Edited in between: none of both chunks is to be trusted.
  const isWhole = revision === null || Number(revision) === facts.revision;
  if (!isWhole) return await readRunInfo(redis, namespace, id);
  return new RunInfo(redis, facts, {
    ...(Buffer.isBuffer(groups) ? { groups } : {}),
    ...(Buffer.isBuffer(payload) ? { payload } : {}),
  });
}
