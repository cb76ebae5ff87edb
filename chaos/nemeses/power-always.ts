import type { Nemesis } from '../nemesis.ts';
import { losePower, recordedRedis, whyNoRecorder } from '../power-loss.ts';

/** Power fails where Redis syncs before it answers: nothing that was answered may be gone. */
export const powerAlways: Nemesis = {
  name: 'power-always',
  weight: 0.7,
  unfit: whyNoRecorder,
  options: (dir) => recordedRedis(dir, 'always'),
  async strike(strike) {
    await losePower(strike);
    // The checker forgives what a power failure takes; here it may take nothing.
    strike.faults.powerLosses.length = 0;
  },
};
