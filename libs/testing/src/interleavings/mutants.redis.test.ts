import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { closeDatabases, openDatabases } from './databases.ts';
import { exploreBeside } from './explore.ts';
import { mutants } from './mutants.ts';
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

/** The budget of an ordinary test run; the same seed, so that it does not depend on luck. */
const cases = 4_000;
const seed = 1;

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  'it is found when %s',
  async (_name, { edits = [], detour, scene = {}, order = {}, grows = false }) => {
    const variant = await loadVariant(databases, [...smallPages, ...edits], detour);

    const { failure } = await exploreBeside(databases, {
      cases,
      seed,
      variant,
      scene,
      order,
      grows,
      shrinks: false,
    });

    expect(failure).not.toBeNull();
  },
  300_000,
);
