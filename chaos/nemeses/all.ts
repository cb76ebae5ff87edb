import type { Nemesis } from '../nemesis.ts';
import { freeze } from './freeze.ts';
import { killApi } from './kill-api.ts';
import { killListener } from './kill-listener.ts';
import { killRedis } from './kill-redis.ts';
import { killWorker } from './kill-worker.ts';

/** In the order in which a full run plays them. */
export const allNemeses: readonly Nemesis[] = [
  killWorker,
  killListener,
  killApi,
  killRedis,
  freeze,
];
