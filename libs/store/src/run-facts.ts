import { noSuchRun } from '@runnel/core';
import { type OpenRunHandle, runHandle, withQueues } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** What does not change of a sealed run while its shape is the same. */
export interface RunFacts {
  readonly handle: OpenRunHandle;
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly source: string | null;
  readonly createdAt: number;
  readonly nodeCount: number;
  readonly barrierCount: number;
  readonly groupCount: number;
  readonly priority: number;
  /** Raised when tasks are added to the run, or its spec is edited: what was read before may lack some. */
  readonly shape: number;
  /** Of the spec, from 1. Tasks keep what they are while it is the same. */
  readonly revision: number;
}

/** Reads the facts of a run; throws NotFoundError where there is none. */
export async function readRunFacts(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<RunFacts> {
  const run = runHandle(namespace, id);
  const meta = await redis.hgetall(run.names.meta);
  return factsOf(namespace, id, meta);
}

export function factsOf(
  namespace: string,
  id: string,
  meta: Readonly<Record<string, string>>,
): RunFacts {
  if (meta['state'] === undefined || meta['created'] === undefined) {
    throw noSuchRun(id);
  }
  const queues = Array.from({ length: Number(meta['queues'] ?? 0) }, (_, q) => meta[`q${q}`] ?? '');
  return {
    handle: withQueues(runHandle(namespace, id), queues),
    name: meta['name'] ?? null,
    tags: parseTags(meta['tags']),
    source: meta['source'] ?? null,
    createdAt: Number(meta['created']),
    nodeCount: Number(meta['n']),
    barrierCount: Number(meta['barriers']),
    groupCount: Number(meta['groups']),
    priority: Number(meta['priority'] ?? 0),
    shape: Number(meta['shape'] ?? 0),
    revision: Number(meta['revision'] ?? 1),
  };
}

/** Tags as a record has them. */
export function parseTags(raw: string | undefined): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  const parsed: unknown = JSON.parse(raw ?? '{}');
  for (const [key, value] of Object.entries(parsed ?? {})) tags[key] = String(value);
  return tags;
}
