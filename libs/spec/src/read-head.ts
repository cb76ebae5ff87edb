import { isJsonObject } from '@runnel/core';
import type { IssueList } from './issue-list.ts';
import { type RunHead, runHeadSchema } from './schema.ts';
import { parseWith } from './zod-issues.ts';

/** Everything of a run but its tasks. */
export interface ReadHead {
  /** Undefined where the document is no object at all. */
  readonly head: RunHead | undefined;
  /** False where something is wrong in it: then only its tasks are looked at. */
  readonly isComplete: boolean;
}

export function readHead(input: unknown, issues: IssueList): ReadHead {
  const head = parseWith(runHeadSchema, input, { path: [], issues });
  if (head !== undefined) return { head, isComplete: true };
  const fallback = isJsonObject(input) ? { tasks: input['tasks'] } : undefined;
  return { head: fallback, isComplete: false };
}
