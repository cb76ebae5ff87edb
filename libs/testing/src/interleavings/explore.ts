import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { type Case, cases as casesOf, evenWhereChanged } from './cases.ts';
import { playCase } from './play-case.ts';
import type { Scene } from './scene.ts';
import type { Order } from './schedule.ts';
import type { Variant } from './variant.ts';

export interface Exploration {
  readonly cases: number;
  readonly seed: number;
  /** Plays one case again, as it was told where it failed; with one database. */
  readonly path?: string;
  readonly variant: Variant;
  /** What is the same in every case. */
  readonly scene?: Partial<Scene>;
  readonly order?: Partial<Order>;
  /** Whether tasks generate tasks; not said: in some cases. */
  readonly grows?: boolean;
  /** False: that a case goes wrong is enough, however large it is. */
  readonly shrinks?: boolean;
}

export interface Explored {
  readonly cases: number;
  readonly operations: number;
  /** The first case that went wrong, made small; null where none did. */
  readonly failure: string | null;
}

/**
 * Plays drawn cases until one goes wrong, on several databases side by side: most of the time each
 * waits for Redis. Every database has a seed of its own, so that a failure can be played again alone.
 */
export async function exploreBeside(
  databases: readonly Redis[],
  options: Exploration,
): Promise<Explored> {
  const cases = Math.ceil(options.cases / databases.length);
  const found: Found = { by: null };
  const all = await Promise.all(
    databases.map((redis, index) =>
      explore(redis, { ...options, cases, seed: options.seed + index }, found),
    ),
  );
  return {
    cases: all.reduce((sum, one) => sum + one.cases, 0),
    operations: all.reduce((sum, one) => sum + one.operations, 0),
    failure: all.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** Whose case went wrong first: the others need not go on. */
interface Found {
  by: Redis | null;
}

async function explore(redis: Redis, options: Exploration, found: Found): Promise<Explored> {
  let [cases, operations] = [0, 0];
  const property = fc.asyncProperty(casesOf(options.grows), async ({ scene, order }: Case) => {
    if (found.by !== null && found.by !== redis) return;
    const played = await playCase(
      redis,
      evenWhereChanged({ ...scene, ...options.scene }),
      { ...order, ...options.order },
      options.variant,
    );
    cases++;
    operations += played.operations;
    if (played.wrongs.length === 0) return;
    found.by ??= redis;
    throw new Error(`${played.wrongs.join('; ')}\n${shownOf(played.log).join('\n')}`);
  });
  const details = await fc.check(property, {
    numRuns: options.cases,
    seed: options.seed,
    endOnFailure: options.shrinks === false,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  return { cases, operations, failure: details.failed ? describe(details) : null };
}

/** Of a case that went wrong: how it began, where shrunk cases have their faults, and how it ended. */
function shownOf(log: readonly string[]): readonly string[] {
  const most = 120;
  if (log.length <= 2 * most) return log;
  return [...log.slice(0, most), '…', ...log.slice(-most)];
}

function describe(details: fc.RunDetails<[Case]>): string {
  const { errorInstance } = details;
  const steps = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `${steps}\n${fc.defaultReportMessage(details) ?? ''}`;
}
