import type { Json } from './json.ts';
import type { Group, TaskPayload } from './plan.ts';

/** Longer ids are cut and end in a hash. */
export const maxTaskIdBytes = 256;

/** The id of a task as users see it: its own, else the class, else `class:CITY=seattle,YEAR=2012`. */
export function taskId(group: Group, payload: TaskPayload): string {
  return payload.id ?? composeTaskId(group.class, group.axes, payload.values);
}

export function composeTaskId(
  base: string,
  axes: readonly string[],
  values: readonly Json[],
): string {
  if (axes.length === 0) return base;
  const pairs = axes.map((axis, index) => `${axis}=${encodeValue(values[index] ?? null)}`);
  const id = `${base}:${pairs.join(',')}`;
  return id.length <= maxTaskIdBytes ? id : shorten(id);
}

/** Percent-encodes UTF-8 bytes outside `[A-Za-z0-9_.-]`; objects and arrays as JSON. */
function encodeValue(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // Nearly every value needs nothing.
  if (/^[A-Za-z0-9_.-]*$/.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function shorten(id: string): string {
  const hash = fnv1a64(id).toString(16).padStart(16, '0');
  return `${id.slice(0, maxTaskIdBytes - 17)}-${hash}`;
}

/** FNV-1a, 64 bits, over UTF-16 code units (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  }
  return hash;
}

/** The low 32 bits of `fnv1a64`: they depend on no others, so that no big integers are needed. */
export function fnv1a64Low(text: string): number {
  let hash = 0x84222325;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x1b3);
  }
  return hash >>> 0;
}
