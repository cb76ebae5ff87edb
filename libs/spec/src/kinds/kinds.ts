import { suggest } from '@runnel/core';
import { notYetKinds } from '../not-yet.ts';
import { describeInput } from '../zod-issues.ts';
import { barrier } from './barrier.ts';
import type { Kind } from './kind.ts';
import { task } from './task.ts';

/** Every kind that an entry may have; the first is the default. */
export const kinds: readonly [Kind, ...Kind[]] = [task, barrier];

/** The kind that an entry names, or what is wrong with the name. */
export function findKind(name: unknown): Kind | string {
  if (name === undefined) return kinds[0];
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind !== undefined) return kind;
  const known = kinds.map((candidate) => candidate.name);
  if (typeof name !== 'string')
    return `expected a kind (${known.join(', ')}), got ${describeInput(name)}`;
  if (notYetKinds.includes(name)) return `the kind ${JSON.stringify(name)} is not supported yet`;
  return `no kind is named ${JSON.stringify(name)}${suggest(name, known)}; known are ${known.join(', ')}`;
}
