import type { Issue } from '@runnel/core';

/** Far deeper than any spec, far less than what breaks recursive code. */
export const maxDepth = 64;

/** Names that mean something else to JavaScript objects: zod would drop the first one silently. */
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

interface Level {
  readonly value: object;
  readonly keys: readonly string[] | null;
  readonly length: number;
  next: number;
}

/** The first thing in a value that is no harmless JSON; without recursion, so no depth breaks it. */
export function findUnsafeValue(root: unknown): Issue | undefined {
  const stack: Level[] = [];
  let problem = enter(stack, root);
  while (problem === undefined) {
    const level = stack.at(-1);
    if (level === undefined) return undefined;
    if (level.next >= level.length) {
      stack.pop();
      continue;
    }
    problem = step(stack, level);
  }
  return { path: stack.flatMap(currentKey), message: problem };
}

/** One child of the level on top; scalars are judged on the spot. */
function step(stack: Level[], level: Level): string | undefined {
  const index = level.next++;
  if (level.keys === null) {
    return Array.isArray(level.value) ? enter(stack, level.value[index]) : undefined;
  }
  const key = level.keys[index] ?? '';
  if (refusedNames.has(key)) return `the name ${JSON.stringify(key)} is not allowed`;
  return enter(stack, Reflect.get(level.value, key));
}

function enter(stack: Level[], value: unknown): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : `${value} is not a number that JSON can say`;
  }
  if (typeof value !== 'object') return `a ${typeof value} is not a JSON value`;
  if (stack.length >= maxDepth) return `nested deeper than ${maxDepth} levels`;
  if (Array.isArray(value)) {
    stack.push({ value, keys: null, length: value.length, next: 0 });
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return 'not a plain JSON object';
  const keys = Object.keys(value);
  stack.push({ value, keys, length: keys.length, next: 0 });
  return undefined;
}

function currentKey(level: Level): (string | number)[] {
  if (level.next === 0) return [];
  return [level.keys?.[level.next - 1] ?? level.next - 1];
}
