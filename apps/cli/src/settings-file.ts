import { existsSync } from 'node:fs';
import { join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

const names = ['runnel.yaml', 'runnel.yml', 'runnel.json'];

/** The settings file beside a spec as RUNNEL_CONFIG, unless that is given. */
export function settingsFileOf(folder: string, env: Env): { readonly RUNNEL_CONFIG?: string } {
  const { RUNNEL_CONFIG: given = '' } = env;
  const file = names.map((name) => join(folder, name)).find((path) => existsSync(path));
  return given !== '' || file === undefined ? {} : { RUNNEL_CONFIG: file };
}
