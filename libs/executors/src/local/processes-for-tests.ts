import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** Numbers of the living processes whose environment holds a text, once those that were killed are gone. */
export async function findProcesses(text: string): Promise<readonly string[]> {
  let found = await listProcesses(text);
  // A killed process vanishes when the system comes to it. One that was not killed stays, and fails the test.
  for (let tries = 0; found.length > 0 && tries < 20; tries++) {
    await setTimeout(10);
    found = await listProcesses(text);
  }
  return found;
}

async function listProcesses(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environment.includes(text) && (await isAlive(pid));
    }),
  );
  return pids.filter((_, index) => marked[index]);
}

/** A zombie has ended; it only waits for the first process to take note. */
export async function isAlive(pid: string | number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat !== '' && !/^\d+ \(.*\) [ZX] /.test(stat);
}
