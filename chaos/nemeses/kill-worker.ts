import { killMembers } from '../kill-members.ts';
import type { Nemesis } from '../nemesis.ts';

/** Workers die at any moment, mostly in the middle of tasks. */
export const killWorker: Nemesis = {
  name: 'kill-worker',
  weight: 1.5,
  restartsWithinMs: 15_000,
  strike: (strike) => killMembers(strike, { app: 'worker', pauseMs: [800, 2_200] }),
};
