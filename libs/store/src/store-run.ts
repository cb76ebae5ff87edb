import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  ConflictError,
  failpoint,
  finishInTurns,
  type Plan,
  type TaskPayload,
  taskId,
} from '@runnel/core';
import {
  encodeGroups,
  encodePayloads,
  groupChunk,
  payloadChunk,
  type SpecRecord,
  type StoredGroup,
} from './chunks.ts';
import { nameHash } from './names.ts';
import { bytesOf } from './packed.ts';
import { type OpenRunHandle, type RunHandle, withQueues } from './run-handle.ts';
import { type Argument, callOf, type RedisClient, runPipeline } from './script.ts';
import { createRun, sealRun, writePage } from './scripts.ts';
import { buildChildren } from './structure.ts';

/** How a group travels: its queue, and how many of its tasks fit one delivery. */
export interface GroupRoute {
  readonly queue: string;
  readonly maxBatch: number;
  /** True where the tasks of one delivery run side by side, so that none waits behind another. */
  readonly isSideBySide: boolean;
}

export interface NewRun {
  readonly run: RunHandle;
  readonly plan: Plan;
  readonly spec: SpecRecord;
  readonly source: string | null;
  /** Of the request's body: the same idempotency key with another body is refused. */
  readonly bodyHash: string;
  readonly priority: number;
  readonly now: number;
  route(group: Plan['groups'][number]): GroupRoute;
  /** Where given, the run is sealed as `created` and expires then unless it is started. */
  readonly expiresAt?: number;
}

export type StoreAnswer =
  | { readonly kind: 'stored'; readonly run: OpenRunHandle }
  | { readonly kind: 'exists'; readonly state: string; readonly bodyHash: string };

/** One SETRANGE: large enough to be quick, small enough that Redis answers others in between. */
const pageBytes = 262_144;
const pagesPerTrip = 8;
/** Others are served in between. */
const turnMs = 15;
const nodesPerSeal = 8_192;

/**
 * Writes a whole run in pages and seals it. Until the last page of sealing nothing of it runs, and a
 * janitor removes what is never sealed. Throws where the submission was removed meanwhile.
 */
export async function storeRun(redis: RedisClient, request: NewRun): Promise<StoreAnswer> {
  const { plan } = request;
  const token = randomBytes(8).toString('hex');
  const routes = plan.groups.map((group) => request.route(group));
  const queues = [
    ...new Set(
      routes.filter((_, number) => plan.groups[number]?.kind === 'task').map((r) => r.queue),
    ),
  ];
  const run = withQueues(request.run, queues);
  await failpoint('submit.before-create');
  const found = await createRun.run(redis, run.keys, [
    run.id,
    request.now,
    token,
    request.bodyHash,
    ...metaFields(request, queues),
  ]);
  if (found.state !== 'new') return { kind: 'exists', ...found };

  await failpoint('submit.after-create');
  const pages = new PageWriter(redis, run, token);
  await writeStructure(pages, plan, routes, queues);
  await writePayloads(pages, plan);
  await pages.pieces('spec', request.spec.deflated);
  await pages.flush();
  await failpoint('submit.before-seal');
  await seal(redis, run, token, request);
  await failpoint('submit.after-seal');
  return { kind: 'stored', run };
}

function metaFields(request: NewRun, queues: readonly string[]): readonly Argument[] {
  const { plan } = request;
  const fields: Argument[] = [
    ...['n', plan.nodeCount, 'barriers', plan.barrierCount, 'onFailure', plan.onFailure],
    ...['tags', JSON.stringify(plan.tags), 'queues', queues.length, 'revision', 1],
    ...['groups', plan.groups.length, 'edges', plan.parents.length, 'priority', request.priority],
    ...['specFormat', request.spec.format],
  ];
  if (plan.name !== null) fields.push('name', plan.name);
  if (request.source !== null) fields.push('source', request.source);
  if (plan.parallelism !== null) fields.push('parallelism', plan.parallelism);
  queues.forEach((queue, number) => {
    fields.push(`q${number}`, queue);
  });
  return fields;
}

async function writeStructure(
  pages: PageWriter,
  plan: Plan,
  routes: readonly GroupRoute[],
  queues: readonly string[],
): Promise<void> {
  const { waiting, childOffsets, children } = await finishInTurns(buildChildren(plan));
  await pages.string('state', Buffer.alloc(plan.nodeCount));
  await pages.string('waiting', waiting);
  await pages.string('parentOffsets', bytesOf(plan.parentOffsets));
  await pages.string('parents', bytesOf(plan.parents));
  await pages.string('childOffsets', bytesOf(childOffsets));
  await pages.string('children', bytesOf(children));
  await pages.string('groupRanges', bytesOf(plan.groupRanges));
  await pages.string('groupIndex', encodeGroupIndex(plan, routes, queues));

  const totals = groupTotals(plan);
  for (let from = 0; from < plan.groups.length; from += groupChunk) {
    const stored: StoredGroup[] = plan.groups
      .slice(from, from + groupChunk)
      .map((group, index) => ({ ...group, total: totals[from + index] ?? 0 }));
    await pages.field('groups', from / groupChunk, encodeGroups(stored));
  }
}

function encodeGroupIndex(
  plan: Plan,
  routes: readonly GroupRoute[],
  queues: readonly string[],
): Buffer {
  const classes = new Map<string, number>();
  const index = Buffer.alloc(plan.groups.length * 8);
  plan.groups.forEach((group, number) => {
    const known = classes.get(group.class) ?? classes.size;
    classes.set(group.class, known);
    const route = routes[number];
    const isBarrier = group.kind === 'barrier';
    index.writeUInt32LE(known, number * 8);
    index.writeUInt8(Math.max(0, queues.indexOf(route?.queue ?? '')), number * 8 + 4);
    const flags = [isBarrier, group.allowFailure, route?.isSideBySide === true];
    index.writeUInt8(packFlags(flags), number * 8 + 5);
    index.writeUInt16LE(route?.maxBatch ?? 1, number * 8 + 6);
  });
  return index;
}

/** The first flag is the lowest bit. */
function packFlags(flags: readonly boolean[]): number {
  return flags.reduce((bits, flag, index) => bits | (flag ? 1 << index : 0), 0);
}

function groupTotals(plan: Plan): Float64Array {
  const totals = new Float64Array(plan.groups.length);
  const ranges = plan.groupRanges;
  for (let index = 0; index < ranges.length; index += 2) {
    const stop = ranges[index + 2] ?? plan.nodeCount;
    const group = ranges[index + 1] ?? 0;
    totals[group] = (totals[group] ?? 0) + stop - (ranges[index] ?? 0);
  }
  return totals;
}

/** Payload chunks, and the hash of each id, in one pass over the tasks. */
async function writePayloads(pages: PageWriter, plan: Plan): Promise<void> {
  const names = new Uint16Array(plan.nodeCount);
  const groupAt = groupWalker(plan);
  let chunk: TaskPayload[] = [];
  let node = 0;
  let turnEnds = performance.now() + turnMs;
  const close = async (): Promise<void> => {
    const encoded = encodePayloads(chunk);
    const number = Math.floor((node - 1) / payloadChunk);
    chunk = [];
    if (encoded !== null) await pages.field('payload', number, encoded);
  };
  for (const payload of plan.payloads()) {
    names[node] = nameHash(taskId(groupAt(node), payload));
    chunk.push(payload);
    node++;
    if (node % payloadChunk !== 0) continue;
    await close();
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + turnMs;
  }
  if (node !== plan.nodeCount) throw new Error(`${node} payloads for ${plan.nodeCount} nodes`);
  if (chunk.length > 0) await close();
  await pages.string('names', bytesOf(names));
}

/** The group of ascending nodes. */
function groupWalker(plan: Plan): (node: number) => Plan['groups'][number] {
  let range = 0;
  return (node) => {
    while ((plan.groupRanges[range + 2] ?? plan.nodeCount) <= node) range += 2;
    const group = plan.groups[plan.groupRanges[range + 1] ?? 0];
    if (group === undefined) throw new Error(`node ${node} has no group`);
    return group;
  };
}

/** Gathers pages into pipelines; each page is refused once a janitor has removed the run. */
class PageWriter {
  readonly #redis: RedisClient;
  readonly #run: RunHandle;
  readonly #token: string;
  #pages: { readonly target: string; readonly args: readonly Argument[] }[] = [];
  #bytes = 0;

  constructor(redis: RedisClient, run: RunHandle, token: string) {
    this.#redis = redis;
    this.#run = run;
    this.#token = token;
  }

  /** The last byte first: a string that grows by SETRANGE takes up to twice its size. */
  async string(key: keyof RunHandle['names'], bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    if (bytes.length > pageBytes)
      await this.#add(key, ['s', bytes.length - 1, bytes.subarray(-1)], 1);
    for (let at = 0; at < bytes.length; at += pageBytes) {
      const page = bytes.subarray(at, at + pageBytes);
      await this.#add(key, ['s', at, page], page.length);
    }
  }

  /** A string that is there in pieces, none of them much larger than a page. */
  async pieces(key: keyof RunHandle['names'], pieces: readonly Buffer[]): Promise<void> {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return this.string(key, only);
    let at = pieces.reduce((sum, piece) => sum + piece.length, 0);
    for (const piece of pieces.toReversed()) {
      at -= piece.length;
      await this.#add(key, ['s', at, piece], piece.length);
    }
  }

  async field(key: keyof RunHandle['names'], field: number, bytes: Buffer): Promise<void> {
    await this.#add(key, ['h', field, bytes], bytes.length);
  }

  async flush(): Promise<void> {
    const pages = this.#pages;
    this.#pages = [];
    this.#bytes = 0;
    if (pages.length === 0) return;
    const calls = pages.map(({ target, args }) =>
      callOf(writePage, { names: this.#run.names, more: [target] }, [
        this.#token,
        Date.now(),
        ...args,
      ]),
    );
    await failpoint('submit.before-page');
    const written = await runPipeline<number[]>(this.#redis, calls);
    if (written.some((answer) => answer !== 1)) throw removedMeanwhile(this.#run.id);
    await failpoint('submit.after-page');
  }

  async #add(
    key: keyof RunHandle['names'],
    args: readonly Argument[],
    bytes: number,
  ): Promise<void> {
    this.#pages.push({ target: this.#run.names[key], args });
    this.#bytes += bytes;
    const isFull = this.#bytes >= pageBytes * pagesPerTrip || this.#pages.length >= 512;
    if (isFull) await this.flush();
  }
}

async function seal(
  redis: RedisClient,
  run: OpenRunHandle,
  token: string,
  request: NewRun,
): Promise<void> {
  for (;;) {
    const answer = await sealRun.run(redis, run.keys, [
      token,
      nodesPerSeal,
      request.now,
      request.expiresAt === undefined ? 'running' : 'created',
      request.expiresAt ?? 0,
    ]);
    await failpoint('submit.after-seal-page');
    if (answer === null) throw removedMeanwhile(run.id);
    if (answer.cursor === answer.nodes) return;
  }
}

function removedMeanwhile(id: string): Error {
  return new ConflictError(
    `run ${id}: the submission took too long and was removed; submit it again`,
  );
}
