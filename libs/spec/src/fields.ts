import { suggest } from '@runnel/core';
import { z } from 'zod';

/** Fields that are planned, and what to say to somebody who uses one already. */
export type NotYet = Readonly<Record<string, string>>;

/** An object with these fields and no others; an unknown one is answered with the nearest known. */
export function fields<Shape extends z.ZodRawShape>(
  shape: Shape,
  notYet: NotYet = {},
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    // One line a key: flattenIssues makes an issue of each.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => describeUnknown(key, Object.keys(shape), notYet)).join('\n')
        : undefined,
  });
}

function describeUnknown(key: string, known: readonly string[], notYet: NotYet): string {
  if (Object.hasOwn(notYet, key)) return `${notYet[key]} not supported yet`;
  const name = JSON.stringify(key);
  const hint = suggest(key, known);
  return hint === ''
    ? `unknown field ${name}; known are ${known.join(', ')}`
    : `unknown field ${name}${hint}`;
}
