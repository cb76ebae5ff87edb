import { type Submitted, submitRun } from '@runnel/engine';
import { type ClassStatistics, meanOf } from '@runnel/planning';
import { estimateBytes } from '@runnel/store';
import type { ApiContext } from './context.ts';
import { keptBytes, type ReadSubmission } from './read-submission.ts';

export interface StoreOptions {
  /** The spec's folder. */
  readonly source: string | null;
  /** Who asked; null: not said. */
  readonly by: string | null;
  readonly idempotency?: { readonly client: string; readonly key: string };
  /** Where given, the run is only created, and expires after this time unless it is started. */
  readonly createdForMs?: number;
}

/** Stores a spec that was read, where Redis has room for it, and starts the run. */
export async function storeSubmission(
  context: ApiContext,
  { plan, spec, priority }: Pick<ReadSubmission, 'plan' | 'spec' | 'priority'>,
  { source, by, idempotency, createdForMs }: StoreOptions,
): Promise<Submitted> {
  await context.room.require(estimateBytes(plan, keptBytes(spec)));
  const now = context.clock.now();
  const expectedMs = expectationsOf(context.history.knownOfName(plan.name));
  const { redis, executors, settings } = context;
  return await context.fence.run(() =>
    submitRun(
      {
        ...{ redis, namespace: settings.namespace, executors, webhooks: settings.webhooks },
        ...{ expectedMs, now, by },
        readArchivedHash: async (id) =>
          (await context.runs.find(id))?.run.record['bodyHash'] ?? null,
      },
      {
        ...{ plan, spec, source, priority },
        ...(idempotency === undefined ? {} : { idempotency }),
        ...(createdForMs === undefined ? {} : { expiresAt: now + createdForMs }),
      },
    ),
  );
}

/** What tasks took in earlier runs of the name, by class. */
function expectationsOf(
  classes: readonly ClassStatistics[] | null,
): (className: string) => number | undefined {
  const means = new Map((classes ?? []).map((one) => [one.class, meanOf(one.durations)]));
  return (className) => means.get(className) ?? undefined;
}
