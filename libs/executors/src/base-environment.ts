import { delimiter, dirname } from 'node:path';

/** What a task sees of the worker's own environment. Nothing else: the worker's holds its secrets. */
const passedOn = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const;

/** The part of the worker's environment that tasks get; a variable that is not set there is left out. */
export function baseEnvironment(
  worker: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of passedOn) {
    const value = worker[name];
    if (value !== undefined) passed[name] = value;
  }
  // `node` is then the worker's own, not an older one of the machine that can't run TypeScript.
  const path = [dirname(process.execPath), ...(passed['PATH'] ?? '').split(delimiter)];
  passed['PATH'] = [...new Set(path.filter((folder) => folder !== ''))].join(delimiter);
  return passed;
}
