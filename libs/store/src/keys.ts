import { fnv1a64Low } from '@runnel/core';
import { runKeyDocs } from './run-keys.ts';
import { shardKeyDocs, type storeKeyDocs } from './store-keys.ts';

/** Fixed when a store is created: a run's shard is a hash of its id modulo this. */
export const shardCount = 32;

export type RunKey = keyof typeof runKeyDocs;
export type ShardKey = keyof typeof shardKeyDocs;
export type StoreKey = keyof typeof storeKeyDocs;
export type ScriptKey = RunKey | ShardKey;
export type KeyNames = Readonly<Record<ScriptKey, string>>;

/** The shard that a run lives in: 0 … 31. */
export function shardOf(runId: string): number {
  // What is written for an edit of a run lies beside it: `<run>~<token>`.
  return fnv1a64Low(runId.split('~', 1)[0] ?? runId) % shardCount;
}

export function shardTag(namespace: string, shard: number): string {
  return `${namespace}:{r${shard}}`;
}

export function shardKey(namespace: string, shard: number, name: ShardKey): string {
  return `${shardTag(namespace, shard)}:${name}`;
}

export function storeKey(namespace: string, name: StoreKey): string {
  return `${namespace}:{store}:${name}`;
}

/** Every key that belongs to a run or to its shard, spelled out. */
export function keysOf(namespace: string, runId: string): KeyNames {
  const tag = shardTag(namespace, shardOf(runId));
  const names: Record<string, string> = {};
  for (const name of Object.keys(runKeyDocs)) names[name] = `${tag}:run:${runId}:${name}`;
  for (const name of Object.keys(shardKeyDocs)) names[name] = `${tag}:${name}`;
  return names as unknown as KeyNames; // every key of both tables was just set
}

/** The ready list of one queue of a run. */
export function readyKey(namespace: string, runId: string, queue: number): string {
  return `${shardTag(namespace, shardOf(runId))}:run:${runId}:ready${queue}`;
}

/** Specs of so many revisions before the last can be read. */
export const keptSpecs = 20;

/** What is kept of the spec of an earlier revision. */
export function revisionKey(
  namespace: string,
  runId: string,
  { part, revision }: { readonly part: 'spec' | 'payload'; readonly revision: number },
): string {
  return `${shardTag(namespace, shardOf(runId))}:run:${runId}:${part}@${revision}`;
}

/** As `readyKey`, from the run's `meta` key. */
export function readyKeyBeside(metaKey: string, queue: number): string {
  return `${metaKey.slice(0, -'meta'.length)}ready${queue}`;
}
