/** Something the caller can put right. `code` is part of the API and never changes. */
export abstract class UserError extends Error {
  abstract readonly code: string;
}

/** One thing that is wrong with a document: where, what, and what would be right. */
export interface Issue {
  /** Where in the document, such as `['tasks', 3, 'parents', 0]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** From 1; only where the document is text with positions (YAML, JSON, lines). */
  readonly line?: number;
  /** Only with a line, and not where that is a document of its own. */
  readonly column?: number;
}

/** A spec that can't be accepted: every issue that was found, at once. */
export class SpecError extends UserError {
  override readonly name = 'SpecError';
  readonly code: 'SPEC_INVALID' | 'SPEC_UNREADABLE';
  readonly issues: readonly Issue[];

  constructor(
    issues: readonly Issue[],
    code: 'SPEC_INVALID' | 'SPEC_UNREADABLE' = 'SPEC_INVALID',
    options?: ErrorOptions,
  ) {
    super(issues.map(describeIssue).join('\n'), options);
    this.issues = issues;
    this.code = code;
  }
}

/** `tasks[3].parents[0]: no task is named "echo"`, with the line where it is known. */
export function describeIssue(issue: Issue): string {
  const place = formatPath(issue.path);
  const column = issue.column === undefined ? '' : `, column ${issue.column}`;
  const line = issue.line === undefined ? '' : ` (line ${issue.line}${column})`;
  return place === '' ? `${issue.message}${line}` : `${place}${line}: ${issue.message}`;
}

/** `['tasks', 3, 'a b']` as `tasks[3]["a b"]`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** The run, task or worker that was asked for does not exist. */
export class NotFoundError extends UserError {
  override readonly name = 'NotFoundError';
  readonly code = 'NOT_FOUND';
}

/** The request makes no sense in the state that the thing is in. */
export class ConflictError extends UserError {
  override readonly name = 'ConflictError';
  readonly code: 'CONFLICT' | 'IN_FLIGHT';

  constructor(
    message: string,
    code: 'CONFLICT' | 'IN_FLIGHT' = 'CONFLICT',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
  }
}

/** A change was made from a revision that the run does not have any more. */
export class RevisionChangedError extends UserError {
  override readonly name = 'RevisionChangedError';
  readonly code = 'REVISION_CHANGED';
}

/** A limit was passed: both numbers are in the message. */
export class LimitError extends UserError {
  override readonly name = 'LimitError';
  readonly code = 'LIMIT_EXCEEDED';
}

/** Settings or surroundings that the operator has to put right before a process can start. */
export class SetupError extends UserError {
  override readonly name = 'SetupError';
  readonly code = 'SETUP';
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): Error {
  return new Error(`unexpected value: ${JSON.stringify(value)}`);
}
