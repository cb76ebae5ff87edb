import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from './exit-codes.ts';

/** The absolute path of a file that the user named. Throws UsageError. */
export async function findFile(
  source: { readonly path: string; readonly cwd: string },
  inFolder = 'the spec in it, such as run.yaml',
): Promise<string> {
  const path = resolve(source.cwd, source.path);
  const found = await stat(path).catch(() => null);
  if (found === null) throw new UsageError(`there is no file ${source.path}`);
  if (found.isDirectory()) {
    throw new UsageError(`${source.path} is a folder: name ${inFolder}`);
  }
  return path;
}
