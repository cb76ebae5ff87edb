import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../api.ts';
import type { Nemesis, Strike } from '../nemesis.ts';

const floodBytes = 200_000_000;

/** A single word of a command may have 128 KB on Linux. */
const longWord = 'x'.repeat(2_000_000);

/** A case, how its run must end, and in which time. */
interface Case {
  readonly name: string;
  readonly tasks: readonly unknown[];
  readonly ends: 'succeeded' | 'failed' | 'cancelled';
  readonly withinMs: number;
}

/** Tasks that do what tasks should not: kill their worker, flood, ignore TERM, leave their group. */
export const poison: Nemesis = {
  name: 'poison',
  options: () => ({ env: { RUNNEL_MAX_DEATHS: '3' } }),
  async strike(strike) {
    const { cluster, until } = strike;
    const runaway = join(cluster.dir, 'runaway');
    do {
      await Promise.all(casesOf(strike.load.journal, runaway).map((one) => play(strike, one)));
      endRunaway(runaway);
      await playPoison(strike);
    } while (Date.now() < until);
  },
};

function casesOf(journal: string, runaway: string): readonly Case[] {
  const shell = (script: string): unknown => ({ command: ['sh', '-c', script] });
  const command = (name: string, details: unknown): readonly unknown[] => [
    { class: name, executor: 'local', details },
  ];
  const lines = `yes | head -c ${floodBytes}`;
  const noLines = `head -c ${floodBytes} /dev/zero | tr '\\0' x`;
  const input = { journal, ms: 1, ends: ['succeeded'], more: longWord };
  const large = { class: 'large', executor: 'function', details: { name: 'work', input } };
  const stubborn = shell(`trap '' TERM; sleep 300`);
  const leaves = shell(`setsid sleep 301 & echo $! > ${runaway}`);
  return [
    { name: 'flood', tasks: command('flood', shell(lines)), ends: 'succeeded', withinMs: 60_000 },
    { name: 'flood', tasks: command('flood', shell(noLines)), ends: 'succeeded', withinMs: 60_000 },
    {
      name: 'long-word',
      tasks: command('word', { command: ['echo', longWord] }),
      ends: 'failed',
      withinMs: 30_000,
    },
    { name: 'large-input', tasks: [large], ends: 'succeeded', withinMs: 30_000 },
    { name: 'stubborn', tasks: command('stubborn', stubborn), ends: 'cancelled', withinMs: 15_000 },
    { name: 'leaves', tasks: command('leaves', leaves), ends: 'succeeded', withinMs: 30_000 },
  ];
}

async function play(strike: Strike, { name, tasks, ends, withinMs }: Case): Promise<void> {
  const { load, faults, violate } = strike;
  const run = await load.submitSpec([], { tasks });
  faults.count++;
  if (run === null) return violate('bad-tasks-end', `${name} was not accepted`);
  if (ends === 'cancelled') {
    await sleep(3_000);
    await load.cancel(run);
  }
  const state = await load.waitForEnd(run, withinMs);
  if (state !== ends) violate('bad-tasks-end', `${name} ${run} is ${state}, not ${ends}`);
}

/** The poison fails; those that came with it do not. */
async function playPoison({ cluster, load, faults, violate }: Strike): Promise<void> {
  const { journal } = load;
  const from = Date.now();
  const work = { name: 'work', input: { journal, ms: 5, ends: ['succeeded'] } };
  const tasks = Array.from({ length: 30 }, (_, index) => ({
    class: 'mixed',
    id: `m${index}`,
    executor: 'function',
    details: index === 17 ? { name: 'poison', input: { journal } } : work,
  }));
  const run = await load.submitSpec([], { tasks });
  const state = run === null ? null : await load.waitForEnd(run, 90_000);
  faults.write({ fault: 'poison', target: 'worker', pid: null }, from, Date.now());
  if (run === null || state !== 'failed') return violate('poison-ends', `${run} is ${state}`);
  const answer = await ask(`${cluster.apiUrl}/api/v1/runs/${run}/tasks/m17`);
  const text = JSON.stringify(answer?.body['failures'] ?? null);
  if (!text.includes('"poison"')) violate('poison-ends', `${run} m17 failed otherwise: ${text}`);
  const whole = await ask(`${cluster.apiUrl}/api/v1/runs/${run}`);
  const counts = JSON.stringify(whole?.body['counts'] ?? null);
  if (!counts.includes('"succeeded":29')) violate('innocents-succeed', `${run}: ${counts}`);
}

/** What leaves its group is not found, as the manual says; so we end it ourselves. */
function endRunaway(path: string): void {
  if (!existsSync(path)) return;
  const pid = Number(readFileSync(path, 'utf8'));
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
