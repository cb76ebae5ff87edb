import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export type WorkingDirectory =
  | { readonly kind: 'ready'; readonly path: string }
  | { readonly kind: 'missing'; readonly message: string };

/** Where a command runs: in the run's directory, which is made, or in `cwd`, which must be there. */
export async function prepareDirectory(
  dataDir: string,
  runId: string,
  cwd: string | undefined,
): Promise<WorkingDirectory> {
  const runDir = join(dataDir, 'runs', runId);
  await mkdir(runDir, { recursive: true });
  if (cwd === undefined) return { kind: 'ready', path: runDir };

  const path = resolve(runDir, cwd);
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return { kind: 'ready', path };
  const what = found === null ? 'does not exist' : 'is not a directory';
  return {
    kind: 'missing',
    message: `details.cwd: "${path}" ${what} on this worker; make it first, or leave cwd out to run in the run's directory`,
  };
}
