import { type Issue, SpecError } from '@runnel/core';

/** A document with one mistake in every entry would else answer with megabytes. */
export const maxIssues = 100;

export type Path = readonly (string | number)[];
export type Locate = (path: Path) => Place | undefined;

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column?: number;
}

/** Everything found wrong with a document: the first hundred issues, and how many more there were. */
export class IssueList {
  readonly #issues: Issue[] = [];
  #count = 0;

  /** A message that takes work to compose is passed as a function: most of a million are never shown. */
  add(path: Path, message: string | (() => string), place?: Place): void {
    this.#count++;
    if (this.#issues.length >= maxIssues) return;
    const text = typeof message === 'string' ? message : message();
    this.#issues.push({ path, message: text, ...place });
  }

  get count(): number {
    return this.#count;
  }

  /** With lines and columns where the document can say them. */
  toArray(locate?: Locate): Issue[] {
    const issues = this.#issues.map((issue) => withPosition(issue, locate));
    const more = this.#count - this.#issues.length;
    return more > 0 ? [...issues, { path: [], message: `and ${more} more` }] : issues;
  }

  throwIfAny(locate?: Locate): void {
    if (this.#count > 0) throw new SpecError(this.toArray(locate));
  }
}

/** A field that is missing has no place of its own: the nearest thing around it is shown. */
function withPosition(issue: Issue, locate: Locate | undefined): Issue {
  if (locate === undefined || issue.line !== undefined) return issue;
  for (let length = issue.path.length; length >= 0; length--) {
    const position = locate(issue.path.slice(0, length));
    if (position !== undefined) return { ...issue, ...position };
  }
  return issue;
}
