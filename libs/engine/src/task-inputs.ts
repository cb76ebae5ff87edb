import type { Json, JsonObject } from '@runnel/core';
import {
  groupAt,
  type RedisClient,
  type RunInfo,
  readOutputs,
  readParents,
  type StoredGroup,
} from '@runnel/store';

/**
 * Outputs of a task's direct parents by class: an object for an edge to exactly one task, otherwise
 * an array in id order. A parent that has no output is left out.
 */
export async function readInputs(
  redis: RedisClient,
  info: RunInfo,
  group: StoredGroup,
  number: number,
): Promise<JsonObject> {
  if (group.inputs.length === 0) return {};
  const parents = await readParents(redis, info, number);
  const outputs = await readOutputs(redis, info, parents);
  const ranges = await info.ranges();
  const byClass = new Map<string, Json[]>();
  for (const parent of parents) {
    const output = outputs.get(parent);
    if (output === undefined) continue;
    const name = withoutScope((await info.group(groupAt(ranges, parent))).class, group.scope);
    const list = byClass.get(name) ?? [];
    byClass.set(name, list);
    list.push(output);
  }
  const inputs = group.inputs.flatMap(({ class: name, single }): [string, Json][] => {
    const list = byClass.get(name) ?? [];
    if (!single) return [[name, list]];
    const only = list[0];
    return only === undefined ? [] : [[name, only]];
  });
  return Object.fromEntries(inputs);
}

/** Generated tasks name each other's classes as their generator did. */
function withoutScope(name: string, scope: string | undefined): string {
  return scope !== undefined && name.startsWith(scope) ? name.slice(scope.length) : name;
}
