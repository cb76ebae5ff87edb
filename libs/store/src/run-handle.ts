import { type KeyNames, keysOf, readyKey, type ShardKey, shardKey } from './keys.ts';
import type { ScriptKeys } from './script.ts';
import { shardKeyDocs } from './store-keys.ts';

/** A run and all its keys, spelled once. */
export interface RunHandle {
  readonly namespace: string;
  readonly id: string;
  readonly names: KeyNames;
  /** For scripts that need no ready lists. */
  readonly keys: ScriptKeys<keyof KeyNames>;
}

/** A run whose queues are known, so that scripts get its ready lists. */
export interface OpenRunHandle extends RunHandle {
  readonly queues: readonly string[];
}

export function runHandle(namespace: string, id: string): RunHandle {
  const names = keysOf(namespace, id);
  return { namespace, id, names, keys: { names } };
}

export function withQueues(run: RunHandle, queues: readonly string[]): OpenRunHandle {
  const more = queues.map((_, number) => readyKey(run.namespace, run.id, number));
  return { ...run, queues, keys: { names: run.names, more } };
}

/** The keys of a shard alone, for scripts that touch no run. */
export function shardHandle(
  namespace: string,
  shard: number,
): { readonly keys: ScriptKeys<ShardKey> } {
  const names = { ...shardKeyDocs } as unknown as Record<ShardKey, string>; // each is set below
  for (const name of Object.keys(shardKeyDocs) as ShardKey[]) {
    names[name] = shardKey(namespace, shard, name);
  }
  return { keys: { names } };
}
