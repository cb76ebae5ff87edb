import { ApiError, type WireIssue } from '@runnel/client';
import { formatPath, type Issue, SpecError, UserError } from '@runnel/core';
import { isFields } from './parameter-overrides.ts';

/** The part of a spec's file that is needed to say where something is wrong. */
export interface SpecPlaces {
  readonly label: string;
  readonly value: unknown;
  locate(path: readonly (string | number)[]): Position | undefined;
  readonly overridden?: ReadonlySet<string>;
  /** Only of a file with a task a line. */
  readonly readLines?: unknown;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A spec with everything that is wrong with it, by its place in the file. */
export class InvalidSpecError extends UserError {
  override readonly name = 'InvalidSpecError';
  readonly code = 'SPEC_INVALID';
  /** From top to bottom, with lines and columns of the file. */
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], places: SpecPlaces, options?: ErrorOptions) {
    const placed = placeIssues(issues, places);
    const lines = placed.map((issue) => describeProblem(issue, places));
    const count = issues.length === 1 ? '1 error' : `${issues.length} errors`;
    super([...lines, `${count} in ${places.label}`].join('\n'), options);
    this.issues = placed;
  }
}

/** What the spec library or the server found wrong, with places in the user's file; other errors as they are. */
export function toInvalidSpec(error: unknown, places: SpecPlaces): unknown {
  if (error instanceof SpecError) {
    return new InvalidSpecError(error.issues, places, { cause: error });
  }
  if (!(error instanceof ApiError) || error.problem.errors === undefined) return error;
  if (error.problem.errors.length === 0) return error;
  const issues = error.problem.errors.map((issue) => fromWire(issue, places));
  return new InvalidSpecError(issues, places, { cause: error });
}

/** An issue as the server tells it; lines and columns are those of the file here. */
export function fromWire(
  issue: WireIssue,
  { value, readLines }: Pick<SpecPlaces, 'value' | 'readLines'>,
): Issue {
  if (readLines !== undefined) return ofLines(issue);
  return { path: resolvePointer(issue.pointer, value), message: issue.detail };
}

/** A file with a task a line was sent as it is: the server's lines are its lines. */
function ofLines({ pointer, detail, line, column }: WireIssue): Issue {
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : unescapePart(part)));
  return {
    path,
    message: detail,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}

function unescapePart(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** `file:3:5  tasks[0].details: message`. */
export function describeProblem(issue: Issue, places: SpecPlaces): string {
  const path = formatPath(issue.path);
  const place = path === '' ? '' : `${path}: `;
  return `${describePlace(issue, places)}  ${place}${issue.message}`;
}

/** From top to bottom; what has no place comes last. */
function placeIssues(issues: readonly Issue[], places: SpecPlaces): readonly Issue[] {
  const rank = ({ line, column = 1 }: Issue): number =>
    line === undefined ? Number.MAX_VALUE : line * 1e6 + column;
  return issues
    .map((issue) => ({ ...issue, ...positionOf(issue, places) }))
    .sort((a, b) => rank(a) - rank(b));
}

function describePlace(issue: Issue, places: SpecPlaces): string {
  const [field, name] = issue.path;
  if (field === 'parameters' && places.overridden?.has(String(name))) return `-p ${name}`;
  const position = positionOf(issue, places);
  return position === undefined
    ? places.label
    : `${places.label}:${position.line}:${position.column}`;
}

/** A field that is missing has no place of its own: the nearest thing around it is shown. */
function positionOf(issue: Issue, places: SpecPlaces): Position | undefined {
  if (issue.line !== undefined) return { line: issue.line, column: issue.column ?? 1 };
  for (let length = issue.path.length; length >= 0; length--) {
    const position = places.locate(issue.path.slice(0, length));
    if (position !== undefined) return position;
  }
  return undefined;
}

/** RFC 6901; whether a part is a name or a place in a list is for the document to say. */
function resolvePointer(pointer: string, document: unknown): (string | number)[] {
  let node = document;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = unescapePart(part);
      if (Array.isArray(node)) {
        node = node[Number(name)];
        return Number(name);
      }
      node = isFields(node) ? node[name] : undefined;
      return name;
    });
}
