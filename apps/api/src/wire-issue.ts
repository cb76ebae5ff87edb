import type { WireIssue } from '@runnel/client';
import { formatPath, type Issue } from '@runnel/core';

export function toWireIssue(issue: Issue): WireIssue {
  return {
    pointer: toPointer(issue.path),
    path: formatPath(issue.path),
    detail: issue.message,
    ...(issue.line === undefined ? {} : { line: issue.line }),
    ...(issue.column === undefined ? {} : { column: issue.column }),
  };
}

/** RFC 6901: `['tasks', 3, 'a/b']` as `/tasks/3/a~1b`. */
function toPointer(path: Issue['path']): string {
  return path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
