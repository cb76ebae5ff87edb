import { setTimeout as sleep } from 'node:timers/promises';
import type { App, Member } from './cluster.ts';
import type { Strike } from './nemesis.ts';

export interface KillOptions {
  readonly app: App;
  readonly pauseMs: readonly [from: number, to: number];
  /** Called right after a kill, for figures. */
  afterKill?(victim: { readonly pid: number; readonly at: number }): void;
}

/** Kills processes of one kind, one after another; the supervisor starts them again. */
export async function killMembers(strike: Strike, options: KillOptions): Promise<void> {
  const { cluster, random, faults, until } = strike;
  while (Date.now() < until) {
    await sleep(random.between(...options.pauseMs));
    const alive = cluster.of(options.app).filter((member) => !member.isGone());
    if (alive.length === 0) continue;
    kill(random.pick(alive));
  }

  function kill(victim: Member): void {
    const { pid } = victim;
    faults.now({ fault: 'kill', target: options.app, pid });
    victim.signal('SIGKILL');
    options.afterKill?.({ pid, at: Date.now() });
  }
}
