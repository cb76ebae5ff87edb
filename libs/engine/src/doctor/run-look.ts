import {
  type BacklogEntry,
  type Delivery,
  decodeBacklogEntry,
  decodeDelivery,
  decodeReadyEntry,
  type GroupFacts,
  type ReadyEntry,
  type RedisClient,
  type RunAudit,
  type RunFacts,
  readAudit,
  readChildAt,
  readGroupIndex,
  readWords,
  toUint32,
} from '@runnel/store';

/** A run as it was read: twice what moves, and the words between the two. */
export interface RunLook {
  readonly facts: RunFacts;
  readonly groups: readonly GroupFacts[];
  /** Pairs (first id, group). */
  readonly ranges: Uint32Array;
  readonly before: RunAudit;
  readonly words: Buffer;
  readonly now: RunAudit;
  /** Which ends had been visited before the words were read, and after; null: not known. */
  readonly visitedBefore: Visited | null;
  readonly visitedNow: Visited | null;
  readonly deliveries: readonly SeenDelivery[];
  readonly ready: readonly (readonly SeenEntry[])[];
  /** Ready tasks that are paused. */
  readonly parked: readonly SeenEntry[];
  readonly backlog: readonly { readonly raw: Buffer; readonly entry: BacklogEntry | null }[];
  readonly nowMs: number;
}

export interface SeenDelivery {
  readonly carrier: number;
  readonly raw: Buffer;
  /** Null where it is malformed. */
  readonly delivery: Delivery | null;
}

export interface SeenEntry {
  readonly raw: Buffer;
  readonly entry: ReadyEntry | null;
}

/** Ends whose children were visited. */
export interface Visited {
  /** The state code of a node whose children were all visited, else 0. */
  readonly codes: Uint8Array;
  /** Nodes of which only the children below a number were visited. */
  readonly partly: ReadonlyMap<number, { readonly code: number; readonly below: number }>;
}

/** Reads a run as checks want it. Null: there is no such run, or it is being submitted. */
export async function lookAt(
  redis: RedisClient,
  facts: RunFacts,
  nowMs: number,
): Promise<RunLook | null> {
  const { handle, nodeCount, groupCount } = facts;
  const before = await readAudit(redis, handle, { nodeCount, groupCount });
  if (before === null || before.meta['state'] === 'submitting') return null;
  const words = await readWords(redis, handle, nodeCount);
  const visitedBefore = await findVisited(redis, facts, before);
  const now = await readAudit(redis, handle, { nodeCount, groupCount });
  if (now === null) return null;
  const [groups, ranges] = await Promise.all([
    readGroupIndex(redis, handle),
    redis.getBuffer(handle.names.groupRanges),
  ]);
  const seen = (raw: Buffer): SeenEntry => ({
    raw,
    entry: decodeReadyEntry(raw, { nodeCount, groupCount }),
  });
  return {
    ...{ facts, groups, before, words, now, visitedBefore, nowMs },
    ranges: toUint32(ranges ?? Buffer.alloc(0)),
    visitedNow: await findVisited(redis, facts, now),
    deliveries: [...now.deliveries].map(([carrier, raw]) => ({
      carrier,
      raw,
      delivery: tryDecode(carrier, raw, nodeCount),
    })),
    ready: now.ready.map((entries) => entries.map(seen)),
    parked: now.parked.map(seen),
    backlog: (now.backlog ?? []).map((raw) => ({
      raw,
      entry: decodeBacklogEntry(raw, nodeCount),
    })),
  };
}

/** While pages of a cancel go through tasks, lists and deliveries hold what has been marked. */
export function isCancelling({ before, now }: RunLook): boolean {
  return [before, now].some(({ meta }) => Number(meta['cancel'] ?? 0) > 0);
}

/** While tasks are brought back, words and what is on its way do not tell what they do otherwise. */
export function isRetrying({ before, now }: RunLook): boolean {
  return [before, now].some(({ meta }) => Number(meta['retry'] ?? 0) > 0);
}

function tryDecode(carrier: number, raw: Buffer, nodeCount: number): Delivery | null {
  try {
    const delivery = decodeDelivery(carrier, raw);
    return delivery.ids.every((id) => id < nodeCount) ? delivery : null;
  } catch {
    // A wrong length is what is looked for here.
    return null;
  }
}

/** States are read before the backlog, so what has left the backlog was visited. */
async function findVisited(
  redis: RedisClient,
  facts: RunFacts,
  audit: RunAudit,
): Promise<Visited | null> {
  if (audit.backlog === null) return null;
  const codes = audit.states.map((code) => (code >= 2 && code <= 6 ? code : 0));
  const partly = new Map<number, { code: number; below: number }>();
  for (const raw of audit.backlog) {
    const entry = decodeBacklogEntry(raw, facts.nodeCount);
    if (entry === null) continue;
    for (let index = entry.next; index < entry.ids.length; index++)
      codes[entry.ids[index] ?? 0] = 0;
    const first = entry.ids[entry.next] ?? 0;
    if (entry.edge === 0) continue;
    const below = await readChildAt(redis, facts.handle, first, entry.edge);
    const code = entry.codes[entry.next] ?? 0;
    partly.set(first, { code, below: below ?? Number.POSITIVE_INFINITY });
  }
  return { codes, partly };
}

/** The code under which a child has seen the end of a parent; 0: it has not. */
export function seenCode(visited: Visited, parent: number, child: number): number {
  const code = visited.codes[parent] ?? 0;
  if (code !== 0 || visited.partly.size === 0) return code;
  const part = visited.partly.get(parent);
  return part !== undefined && child < part.below ? part.code : 0;
}
