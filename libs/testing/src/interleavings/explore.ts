import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { type Case, caseArbitrary } from './cases.ts';
import type { Replacements } from './gated-redis.ts';
import { playCase } from './play-case.ts';

export interface Exploration {
  readonly cases: number;
  readonly seed: number;
  readonly path?: string;
  readonly replacements?: Replacements;
  /** A mutant is caught by the first case; what is the smallest does not matter. */
  readonly shrinks?: boolean;
}

/** Explores on several databases side by side; what each does is told by its own seed. */
export async function exploreBeside(
  databases: readonly Redis[],
  options: Exploration,
): Promise<Explored> {
  const cases = Math.ceil(options.cases / databases.length);
  const all = await Promise.all(
    databases.map((redis, index) =>
      explore(redis, { ...options, cases, seed: options.seed + index }),
    ),
  );
  return {
    cases: all.reduce((sum, one) => sum + one.cases, 0),
    operations: all.reduce((sum, one) => sum + one.operations, 0),
    failure: all.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

export interface Explored {
  readonly cases: number;
  readonly operations: number;
  /** The first case that went wrong, made small; null where none did. */
  readonly failure: string | null;
}

/** Plays drawn cases until one goes wrong. */
export async function explore(redis: Redis, options: Exploration): Promise<Explored> {
  let [cases, operations] = [0, 0];
  const property = fc.asyncProperty(caseArbitrary, async ({ scene, order }: Case) => {
    const played = await playCase(redis, scene, order, options.replacements);
    cases++;
    operations += played.operations;
    if (played.wrongs.length === 0) return;
    throw new Error(`${played.wrongs.join('; ')}\n${played.log.slice(-shownSteps).join('\n')}`);
  });
  const details = await fc.check(property, {
    numRuns: options.cases,
    seed: options.seed,
    endOnFailure: options.shrinks === false,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  const failure = details.failed ? describe(details) : null;
  return { cases, operations, failure };
}

/** Of a case that went wrong; its last steps say the most. */
const shownSteps = 200;

function describe(details: fc.RunDetails<[Case]>): string {
  const { errorInstance } = details;
  const steps = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `${steps}\n${fc.defaultReportMessage(details) ?? ''}`;
}
