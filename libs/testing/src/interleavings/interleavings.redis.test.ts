import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { closeDatabases, openDatabases } from './databases.ts';
import { exploreBeside } from './explore.ts';
import { loadVariant, smallPages } from './variant.ts';
import { installVirtualTime } from './virtual-time.ts';

let databases: readonly Redis[];
let uninstall: () => void;

beforeAll(async () => {
  databases = await openDatabases(inject('redisUrl'));
  uninstall = installVirtualTime();
});

afterAll(async () => {
  uninstall();
  await closeDatabases(databases);
});

const cases = Number(process.env['RUNNEL_INTERLEAVINGS'] ?? 4_000);
// The same cases each time, so that a change is judged by what it changes; other seeds explore further.
const seed = Number(process.env['RUNNEL_INTERLEAVINGS_SEED'] ?? 20_261_123);
const path = process.env['RUNNEL_INTERLEAVINGS_PATH'];

test('whatever dies between any two steps, every run ends as the model says and leaves nothing', async () => {
  // A path belongs to one seed: it is played alone.
  const used = path === undefined ? databases : databases.slice(0, 1);

  const variant = await loadVariant(databases, smallPages);
  const at = path === undefined ? { seed } : { seed, path };

  const explored = await exploreBeside(used, { cases, variant, ...at });

  expect(explored.failure).toBeNull();
}, 3_600_000);
