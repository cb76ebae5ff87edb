import { readdirSync, readFileSync } from 'node:fs';

/** Processes of this machine whose command line has a text. */
export function findProcesses(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLineOf(pid).includes(text))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** Empty for one that has ended meanwhile, or is a zombie. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
