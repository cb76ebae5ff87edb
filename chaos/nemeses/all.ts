import type { Nemesis } from '../nemesis.ts';
import { busy } from './busy.ts';
import { clock } from './clock.ts';
import { diskFull } from './disk-full.ts';
import { duplicates } from './duplicates.ts';
import { failpoints } from './failpoints.ts';
import { freeze } from './freeze.ts';
import { killApi } from './kill-api.ts';
import { killListener } from './kill-listener.ts';
import { killRedis } from './kill-redis.ts';
import { killWorker } from './kill-worker.ts';
import { network } from './network.ts';
import { poison } from './poison.ts';
import { powerAlways } from './power-always.ts';
import { powerEverysec } from './power-everysec.ts';
import { redisFull } from './redis-full.ts';

/** In the order in which a full run plays them. */
export const allNemeses: readonly Nemesis[] = [
  ...[killWorker, killListener, killApi, killRedis, freeze],
  ...[clock, failpoints, duplicates, network],
  ...[powerAlways, powerEverysec, redisFull, diskFull],
  ...[poison, busy],
];
