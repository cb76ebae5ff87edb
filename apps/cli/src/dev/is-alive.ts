import { readFileSync } from 'node:fs';

/** False also for a process that ended but that nobody has waited for yet, where that can be seen. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error: unknown) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // No /proc here.
    return true;
  }
}
