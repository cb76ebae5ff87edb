import type { Request } from 'express';
import { RequestError } from './request-error.ts';

/** The ETag of a spec: the number of its revision. */
export function revisionTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * The revisions that the caller means by `If-Match`; null: any.
 *
 * @throws RequestError where it is missing (428) or the run has another one (412).
 */
export function requireRevision(request: Request, id: string, revision: number): void {
  const header = request.get('If-Match');
  if (header === undefined) {
    throw new RequestError(
      428,
      `If-Match: is missing; give the ETag of the spec that you have changed (GET ${request.path} has it: ${revisionTag(revision)})`,
    );
  }
  const tags = header.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(revisionTag(revision))) return;
  throw new RequestError(
    412,
    `run ${id} has revision ${revision}, not ${header}: somebody has edited it since; read the spec again and make your change to it`,
  );
}
