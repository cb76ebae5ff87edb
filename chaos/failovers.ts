import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '@runnel/testing/end-with-parent';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

/** Each in one Sentinel set of its own: kills, freezes, and partitions that drop packets. */
const triesARound = 5;
const tests = ['failover', 'rollback'].map((name) => `libs/testing/src/e2e/${name}.e2e.test.ts`);

/**
 * What a soak has besides the nemeses, by the end-to-end tests: masters behind Sentinels that are
 * killed, frozen and cut off, a Cluster that loses a master, and one half of the data that comes back
 * older than the other. True where all went well; else the tests have said what was wrong.
 */
export async function playFailovers(): Promise<boolean> {
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'e2e', ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, RUNNEL_FAILOVER_TRIES: String(triesARound) },
  });
  endWithParent(child);
  const [code] = await once(child, 'exit');
  return code === 0;
}
