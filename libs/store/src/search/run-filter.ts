import type { RunState } from '@runnel/core';

/** A tag that a run must have: just this value, or one that begins so. */
export interface TagFilter {
  readonly key: string;
  readonly value: string;
  readonly isPrefix: boolean;
}

/** All that is given must hold. Times are inclusive. */
export interface RunFilter {
  readonly tags?: readonly TagFilter[];
  /** The whole name. */
  readonly name?: string;
  /** A part of the name; ASCII letters are alike in both cases. */
  readonly text?: string;
  readonly state?: RunState;
  readonly endedSince?: number;
  readonly endedUntil?: number;
}

/** What of a run a filter looks at. */
export interface RunCard {
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly state: RunState;
  readonly endedAt: number | null;
}

export function isFiltering({ tags = [], ...rest }: RunFilter): boolean {
  const { name, text, state, endedSince, endedUntil } = rest;
  const others = [name, text, state, endedSince, endedUntil];
  return tags.length > 0 || others.some((value) => value !== undefined);
}

export function matches(card: RunCard, filter: RunFilter): boolean {
  const { name, text, state, tags = [], endedSince, endedUntil } = filter;
  if (name !== undefined && card.name !== name) return false;
  if (state !== undefined && card.state !== state) return false;
  if (text !== undefined && !lowerAscii(card.name ?? '').includes(lowerAscii(text))) return false;
  if (endedSince !== undefined && (card.endedAt === null || card.endedAt < endedSince))
    return false;
  if (endedUntil !== undefined && (card.endedAt === null || card.endedAt > endedUntil))
    return false;
  return tags.every((tag) => hasTag(card, tag));
}

function hasTag({ tags }: RunCard, { key, value, isPrefix }: TagFilter): boolean {
  const own = Object.hasOwn(tags, key) ? tags[key] : undefined;
  if (own === undefined) return false;
  return isPrefix ? own.startsWith(value) : own === value;
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
