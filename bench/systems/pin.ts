import { execFileSync } from 'node:child_process';

/** All threads of a process, and those it starts later, on core 0. */
export function pinToFirstCore(pid: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(pid)], {
    stdio: 'ignore',
  });
}
