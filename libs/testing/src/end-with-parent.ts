import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

function endChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** Ends a child with this process: who runs out of time, or is told to stop halfway, disposes of nothing. */
export function endWithParent(child: ChildProcess): void {
  if (children.size === 0) process.once('exit', endChildren);
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (children.size === 0) process.off('exit', endChildren);
  });
}
