import { killMembers } from '../kill-members.ts';
import type { Nemesis } from '../nemesis.ts';

/** The api dies while it takes runs; the client repeats each request with its key. */
export const killApi: Nemesis = {
  name: 'kill-api',
  weight: 0.8,
  strike: (strike) => killMembers(strike, { app: 'api', pauseMs: [500, 2_500] }),
};
