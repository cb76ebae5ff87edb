import type { WireDoctor, WireFinding } from '@runnel/client';
import {
  diagnose,
  Enqueuer,
  type Examination,
  type Finding,
  findingKinds,
  moveOutbox,
  treat,
} from '@runnel/engine';
import { DeliveryQueues } from '@runnel/queue';
import { Chores } from '@runnel/store';
import type { ApiContext } from './context.ts';
import { toIso } from './run-answer.ts';

/** Findings of one kind that one answer tells; the others are counted. */
const mostTold = 100;

/** Looks, and says what is wrong: of one run, or of everything. */
export async function askDoctor(
  context: ApiContext,
  request: { readonly runId?: string; readonly repairs: boolean },
): Promise<WireDoctor> {
  const { redis, settings, clock, logger, infos } = context;
  const { namespace } = settings;
  const onError = (error: Error): void => logger.warn({ err: error }, error.message);
  await using queues = new DeliveryQueues({ connection: redis, namespace, onError });
  await using chores = new Chores(redis, onError);
  const enqueuer = new Enqueuer(queues, chores);
  const doctor = {
    ...{ redis, namespace, jobs: queues, now: () => clock.now() },
    moveOutbox: async (runId: string) => {
      // The run may have grown: its deliveries are of groups and queues that are not known here.
      infos.forget(runId);
      await moveOutbox(redis, await infos.read(runId), enqueuer, clock.now());
      await chores.flush();
    },
  };
  const which = request.runId === undefined ? {} : { runId: request.runId };
  if (request.runId !== undefined && (await isOnlyArchived(context, request.runId))) {
    return await toWire(context, unchanging, { mended: null, left: null });
  }
  if (!request.repairs) {
    return await toWire(context, await diagnose(doctor, which), { mended: null, left: null });
  }
  const { found, left, mended } = await treat(doctor, which);
  logger.info({ run: request.runId, found: found.findings.length, mended }, 'repaired');
  return await toWire(context, found, { mended, left: left.findings.length });
}

/** Of a run in the archive nothing changes, so nothing can have gone wrong since. */
const unchanging: Examination = {
  runs: 1,
  findings: [],
  unchecked: [],
  omitted: 0,
  repairs: new Map(),
};

async function isOnlyArchived({ runs }: ApiContext, id: string): Promise<boolean> {
  return (await runs.read(id)).isArchived;
}

async function toWire(
  context: ApiContext,
  { runs, findings, unchecked, omitted }: Examination,
  repair: { readonly mended: number | null; readonly left: number | null },
): Promise<WireDoctor> {
  const kinds = Map.groupBy(findings, ({ kind, run }) => `${kind}.${run}`);
  const told = [...kinds.values()].flatMap((same) => same.slice(0, mostTold));
  return {
    checkedAt: toIso(context.clock.now()),
    runs,
    findings: await Promise.all(told.map((finding) => toWireFinding(context, finding))),
    omitted: omitted + findings.length - told.length,
    unchecked: [...unchecked],
    ...repair,
  };
}

async function toWireFinding(context: ApiContext, finding: Finding): Promise<WireFinding> {
  const { kind, run, shard, task, carrier, queue, detail, mend } = finding;
  const { means, repair } = findingKinds[kind];
  const id = run === null || task === null ? null : await idOf(context, run, task);
  return {
    ...{ kind, run, shard, carrier, queue, detail, means },
    task: id === null ? null : { number: task ?? 0, id },
    repair: mend === null && !isMendedWithOthers(kind) ? null : repair,
  };
}

/** One repair of an entry or a delivery mends all that is wrong with it. */
function isMendedWithOthers(kind: Finding['kind']): boolean {
  return kind.startsWith('ready-') || kind.startsWith('delivery-');
}

/** The task's id; null where the run, or such a task, is gone. */
async function idOf(context: ApiContext, run: string, task: number): Promise<string | null> {
  try {
    const kept = await context.infos.read(run);
    if (task >= kept.facts.nodeCount) context.infos.forget(run);
    return (await (await context.infos.read(run)).task(task)).id;
  } catch {
    // What is wrong may be just that: the finding is told with its number alone.
    return null;
  }
}
