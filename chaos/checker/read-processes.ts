import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Process {
  readonly pid: number;
  readonly command: string;
  readonly isTask: boolean;
}

/** Processes of this trial: those that work in its folder, or were told of it. Linux only. */
export function readProcesses(dataDir: string): readonly Process[] {
  const folder = dirname(dataDir);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        const isOurs =
          environment.includes(`RUNNEL_DATA=${dataDir}`) ||
          `${readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${folder}/`);
        if (!isOurs) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const isTask = environment.some((one) => one.startsWith('RUNNEL_TASK_ID='));
        return [{ pid: Number(name), command, isTask }];
      } catch {
        return []; // it ended meanwhile, or is not ours to look at
      }
    });
}
