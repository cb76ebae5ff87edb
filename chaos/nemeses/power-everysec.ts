import type { Nemesis } from '../nemesis.ts';
import { losePower, recordedRedis, whyNoRecorder } from '../power-loss.ts';

/** Power fails where Redis syncs each second: the last second may be gone, and nothing is half done. */
export const powerEverysec: Nemesis = {
  name: 'power-everysec',
  weight: 0.7,
  unfit: whyNoRecorder,
  options: (dir) => recordedRedis(dir, 'everysec'),
  strike: losePower,
};
