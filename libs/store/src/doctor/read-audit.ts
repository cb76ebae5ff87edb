import { toBytes, toInteger, toList } from '../replies.ts';
import type { OpenRunHandle } from '../run-handle.ts';
import type { Argument, RawReply, RedisClient } from '../script.ts';

/** What moves of a run while it goes on, read together. */
export interface RunAudit {
  readonly meta: Readonly<Record<string, string>>;
  /** The state byte of each node. */
  readonly states: Uint8Array;
  /** Null where there are too many groups to read at once. */
  readonly counts: Readonly<Record<string, string>> | null;
  /** Carrier -> packed delivery, which may be malformed. */
  readonly deliveries: ReadonlyMap<number, Buffer>;
  readonly outbox: readonly { readonly carrier: number; readonly at: number }[];
  /** Entries of each queue's ready list. */
  readonly ready: readonly (readonly Buffer[])[];
  /** Entries of ready tasks that are paused. */
  readonly parked: readonly Buffer[];
  /** Null where it is too long to be read at once. */
  readonly backlog: readonly Buffer[] | null;
  /** True where all of it is from one moment. */
  readonly isExact: boolean;
}

export interface AuditSize {
  readonly nodeCount: number;
  readonly groupCount: number;
}

/** What one command may hold Redis up with: copying 2 MB takes well below 1 ms. */
const stateBytes = 2_097_152;
const readyEntries = 2_048;
const backlogEntries = 512;
const mostGroups = 2_048;
/** Fields of the record that change with every step of a run. */
const movingFields =
  /^(?:state|halt|fin|seq|open|delayed|tries|retry|retryAt|retryEdge|duplicates|repairs|cancel|cancelAt|cancelList|ending|parked|unpark|[ric]\d+)$/;

/**
 * Reads a run. Up to 2,097,152 nodes and 2,048 entries of ready tasks come in one transaction. What is
 * larger is read in pages around it, and is exact only where the run did not move meanwhile.
 * Null: there is no such run.
 */
export async function readAudit(
  redis: RedisClient,
  run: OpenRunHandle,
  size: AuditSize,
): Promise<RunAudit | null> {
  const states = new Uint8Array(size.nodeCount);
  const last = Math.max(0, Math.ceil(size.nodeCount / stateBytes) - 1) * stateBytes;
  const before = last === 0 ? null : moving(await redis.hgetall(run.names.meta));
  for (let at = 0; at < last; at += stateBytes) {
    states.set(await redis.getrangeBuffer(run.names.state, at, at + stateBytes - 1), at);
  }
  const replies = await readAtOnce(redis, commandsOf(run, size, last));
  const [meta = [], lastStates = null, deliveries = [], outbox = [], ...rest] = replies;
  const [backlogLength = 0, backlog = [], ...lists] = rest;
  const counts = size.groupCount > mostGroups ? null : toRecord(lists.pop() ?? []);
  states.set(toBytes(lastStates).subarray(0, size.nodeCount - last), last);
  const fields = toRecord(meta);
  if (fields['state'] === undefined) return null;

  // The last one is that of paused tasks.
  const keys = listKeys(run);
  const ready = keys.map((_, list) => toList(lists[list * 2 + 1] ?? []).map(toBytes));
  const lengths = keys.map((_, list) => toInteger(lists[list * 2] ?? 0));
  const isLong = lengths.some((length) => length > readyEntries);
  const whole = isLong ? await readRest(redis, run, ready, lengths) : ready;
  const after = isLong ? moving(await redis.hgetall(run.names.meta)) : null;
  const now = moving(fields);
  return {
    meta: fields,
    states,
    counts,
    deliveries: new Map(
      pairsOf(deliveries).map(([carrier, raw]) => [Number(carrier.toString()), raw]),
    ),
    outbox: pairsOf(outbox).map(([carrier, at]) => ({
      carrier: Number(carrier.toString()),
      at: Number(at.toString()),
    })),
    ready: whole.slice(0, -1),
    parked: whole.at(-1) ?? [],
    backlog: toInteger(backlogLength) > backlogEntries ? null : toList(backlog).map(toBytes),
    isExact: (before ?? now) === now && (after ?? now) === now,
  };
}

/** The ready list of each queue, and that of paused tasks. */
function listKeys(run: OpenRunHandle): readonly string[] {
  return [...(run.keys.more ?? []), run.names.parked];
}

function commandsOf(
  run: OpenRunHandle,
  size: AuditSize,
  lastState: number,
): readonly (readonly [string, ...Argument[]])[] {
  const { names } = run;
  const lists = listKeys(run).flatMap((key): [string, ...Argument[]][] => [
    ['LLEN', key],
    ['LRANGE', key, 0, readyEntries - 1],
  ]);
  return [
    ['HGETALL', names.meta],
    ['GETRANGE', names.state, lastState, size.nodeCount - 1],
    ['HGETALL', names.deliveries],
    ['ZRANGE', names.outbox, 0, -1, 'WITHSCORES'],
    ['LLEN', names.backlog],
    ['LRANGE', names.backlog, 0, backlogEntries - 1],
    ...lists,
    ...(size.groupCount > mostGroups ? [] : [['HGETALL', names.counts] as const]),
  ];
}

/** Several commands of one slot at one moment. */
async function readAtOnce(
  redis: RedisClient,
  commands: readonly (readonly [string, ...Argument[]])[],
): Promise<readonly RawReply[]> {
  const pipeline = redis.pipeline();
  pipeline.callBuffer('MULTI');
  for (const [name, ...args] of commands) pipeline.callBuffer(name, ...args);
  pipeline.callBuffer('EXEC');
  const replies = (await pipeline.exec()) ?? [];
  for (const [error] of replies) if (error !== null) throw error;
  return toList(replies.at(-1)?.[1] as RawReply); // callBuffer replies with nothing else
}

async function readRest(
  redis: RedisClient,
  run: OpenRunHandle,
  ready: readonly (readonly Buffer[])[],
  lengths: readonly number[],
): Promise<readonly (readonly Buffer[])[]> {
  const whole = ready.map((entries) => [...entries]);
  for (const [queue, key] of listKeys(run).entries()) {
    for (let at = readyEntries; at < (lengths[queue] ?? 0); at += readyEntries) {
      const page = await redis.lrangeBuffer(key, at, at + readyEntries - 1);
      for (const entry of page) whole[queue]?.push(entry);
    }
  }
  return whole;
}

function moving(meta: Readonly<Record<string, string>>): string {
  const fields = Object.entries(meta).filter(([field]) => movingFields.test(field));
  return JSON.stringify(fields.sort());
}

function toRecord(raw: RawReply): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairsOf(raw).map(([field, value]) => [field.toString(), value.toString()]),
  );
}

function pairsOf(raw: RawReply): readonly (readonly [Buffer, Buffer])[] {
  const list = toList(raw);
  return Array.from({ length: Math.floor(list.length / 2) }, (_, index) => [
    toBytes(list[index * 2]),
    toBytes(list[index * 2 + 1]),
  ]);
}
