import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Graph } from '../graphs.ts';
import type { Nemesis, Strike } from '../nemesis.ts';

/** Much longer than a lock: a worker that can't renew beside it would be taken for dead. */
const busyMs = 15_000;

/** Functions compute on all cores without a pause: no worker may be taken for dead. */
export const busy: Nemesis = {
  name: 'busy',
  weight: 0, // has a time of its own
  async strike(strike) {
    const { until, note, faults } = strike;
    const runs: Promise<void>[] = [];
    for (let core = 0; core < availableParallelism(); core++) runs.push(keepBusy(strike));
    await Promise.all(runs);
    note(
      `all cores were busy; ${faults.count} faults, so a second start of anything is a false alarm`,
    );
    await sleep(Math.max(0, until - Date.now()));
  },
};

const graph: Graph = [
  {
    ...{ id: 'busy', executor: 'function', parents: [], runIf: 'all-succeeded' },
    ...{ ends: ['succeeded'], ms: busyMs },
  },
];

function specOf(journal: string): unknown {
  const details = { name: 'busy', input: { journal, ms: busyMs } };
  return { tasks: [{ class: 'busy', id: 'busy', executor: 'function', details }] };
}

async function keepBusy({ load, until }: Strike): Promise<void> {
  while (Date.now() < until - busyMs) {
    await load.submitSpec(graph, specOf(load.journal));
    await sleep(busyMs);
  }
}
