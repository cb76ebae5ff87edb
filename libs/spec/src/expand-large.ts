import { SpecError, type Steps } from '@runnel/core';
import type { ExpandOptions, Expansion } from './expand.ts';
import { findUnsafeValue } from './guard.ts';
import { IssueList } from './issue-list.ts';
import { checkNames, maxScannedLength } from './json-scan.ts';
import { readHead } from './read-head.ts';
import { expandingFields, type RunHead } from './schema.ts';
import { SingleReading } from './single-reading.ts';
import { type SplitSpec, splitSpec } from './split-json.ts';

/** An expansion, and the spec without its tasks. */
export interface LargeExpansion extends Expansion {
  readonly head: Omit<RunHead, 'tasks'>;
}

/** Tasks between two turns of others. */
const tasksPerStep = 256;

/**
 * Expands the JSON text of a large spec task by task, so that its document is never there. Null where
 * that can't be done: where the spec has parameters, its tasks are no list, a name is there twice, or it
 * is no JSON.
 *
 * @throws SpecError with every issue.
 */
export function* expandLargeJson(
  text: string,
  options: ExpandOptions,
): Steps<LargeExpansion | null> {
  const split = yield* splitSpec(text);
  if (split === null || split.count === 0) return null;
  const issues = new IssueList();
  const head = readLargeHead(split, issues);
  if (head === null) return null;
  let isExpanding = false;
  const onExpanding = (): void => {
    isExpanding = true;
  };
  const reading = new SingleReading({ head, options, issues, onExpanding });
  const parser = new TaskParser();
  for (let key = 0; key < split.count && !reading.isDecided; key++) {
    const range = split.taskAt(key);
    reading.take(key, range, () => parser.parse(text.slice(range.start, range.end)));
    if (parser.hasFailed || isExpanding) return null;
    if (key % tasksPerStep === 0) yield;
  }
  const plan = reading.isDecided ? null : yield* reading.plan();
  if (plan === null || issues.count > 0) throw new SpecError(issues.toArray(options.locate));
  return { plan, warnings: [], head };
}

/** Null where it has parameters, or is no head at all. */
function readLargeHead({ head: text }: SplitSpec, issues: IssueList): RunHead | null {
  const value = new TaskParser().parse(text);
  if (findUnsafeValue(value) !== undefined) return null;
  const { head } = readHead(value, issues);
  const isExpanding = head === undefined || expandingFields.some((field) => head[field]);
  return head === undefined || isExpanding ? null : head;
}

/** Parses pieces; in the first of them no object may have a name twice. */
class TaskParser {
  hasFailed = false;
  #scanned = 0;

  /** Undefined where something is wrong: whoever reads all of the text tells it, with its place. */
  parse(text: string): unknown {
    try {
      const value: unknown = JSON.parse(text);
      if (this.#scanned < maxScannedLength) {
        this.#scanned += text.length;
        checkNames(text);
      }
      return value;
    } catch {
      this.hasFailed = true;
      return undefined;
    }
  }
}
