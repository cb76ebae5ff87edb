import { hostname, userInfo } from 'node:os';
import type { Cli } from './cli.ts';
import { UsageError } from './exit-codes.ts';

/** As long as the API takes it. */
const most = 200;

/** Who asks: RUNNEL_BY, else the user and the machine. */
export function whoAsks({ env }: Pick<Cli, 'env'>): string {
  const { RUNNEL_BY: given = '' } = env;
  if (given === '')
    return `${userName()}@${hostname()}`.replace(/[^\x21-\x7e]/g, '?').slice(0, most);
  if (/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(given)) return given;
  throw new UsageError(`RUNNEL_BY: must be 1 to ${most} printable ASCII characters`);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without a name, as in some containers.
    return String(process.getuid?.() ?? 'unknown');
  }
}
