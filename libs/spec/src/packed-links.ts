import { type On, ons } from '@runnel/core';
import type { Path } from './issue-list.ts';
import type { SingleTasks } from './single-tasks.ts';

/**
 * What each task waits for: those of task i stand from `starts[i]` to `starts[i + 1]`. A link has 32
 * bits: `on`, whether it is to a class, and the number of the task or class.
 */
export interface SingleLinks {
  readonly starts: Uint32Array;
  readonly links: Uint32Array;
  /** Null: each stands in the `parents` of its own task, in order. */
  readonly origins: Origins | null;
}

/** Where each link was written: by which task; at which position, with a bit for `children`. */
export interface Origins {
  readonly writers: Uint32Array;
  readonly positions: Uint32Array;
}

export const childrenBit = 2 ** 31;
/** In place of a link that is wrong: the positions of the others stay what they are. */
export const noLink = 0xff_ff_ff_ff;

export function packLink(number: number, on: On, isClass: boolean): number {
  return ((ons.indexOf(on) << 30) | (isClass ? 2 ** 29 : 0) | number) >>> 0;
}

export function isClassLink(link: number): boolean {
  return (link & (2 ** 29)) !== 0;
}

export function targetOf(link: number): number {
  return link & (2 ** 29 - 1);
}

export function onOfLink(link: number): On {
  return ons[link >>> 30] ?? 'succeeded';
}

/** Where a link was written: the one at `at`, of a task whose links begin at `start`. */
export function pathOfLink(
  tasks: SingleTasks,
  origins: Origins | null,
  { node, start, at }: { readonly node: number; readonly start: number; readonly at: number },
): Path {
  if (origins === null) return ['tasks', tasks.keyOf(node), 'parents', at - start];
  const position = origins.positions[at] ?? 0;
  const side = position >= childrenBit ? 'children' : 'parents';
  return ['tasks', tasks.keyOf(origins.writers[at] ?? 0), side, position % childrenBit];
}
