import { randomBytes } from 'node:crypto';
import {
  beingSubmitted,
  ConflictError,
  failpoint,
  finishInTurns,
  noSuchRun,
  type Plan,
} from '@runnel/core';
import {
  type CarriedNodes,
  copyChunks,
  dropShadow,
  editChannel,
  freezeRun,
  goOnWithEdit,
  listEditParts,
  openShadow,
  planPayloads,
  type RedisClient,
  RunInfo,
  readCarried,
  readFrozen,
  readRunFacts,
  readStateBytes,
  type Shadow,
  stateCode,
  swapIn,
  writeParts,
  writeState,
} from '@runnel/store';
import type { ExecutorFacts } from '../executors.ts';
import { inFlight } from '../retry.ts';
import type { SubmittedSpec } from '../submit.ts';
import { countFates, type EditCounts } from './count-fates.ts';
import { type EditQueues, planQueues } from './edit-queues.ts';
import { tellFates } from './fates.ts';
import { type FateQuery, listFates, type TaskFate } from './list-fates.ts';
import { computeNext } from './next-state.ts';
import { changedMeanwhile, type PreparedEdit, prepareEdit } from './prepare-edit.ts';
import { recordFields } from './record-fields.ts';
import { withoutLater } from './without-later.ts';
import { writeSpec } from './write-spec.ts';

export interface EditRequest {
  readonly plan: Plan;
  readonly source: string | null;
  /** Where given, tasks are listed. */
  readonly list?: FateQuery | undefined;
}

/** What an edit does, or would do. */
export interface EditAnswer extends EditCounts {
  readonly tasks: readonly TaskFate[];
  /** Null where nothing more is to be listed. */
  readonly next: number | null;
}

/** Says what an edit would do with each task, as the run stands now. Nothing is changed. */
export async function previewEdit(
  redis: RedisClient,
  info: RunInfo,
  { plan, source, list }: EditRequest,
): Promise<EditAnswer> {
  const edit = await prepareEdit(redis, info, { plan, source });
  const states = await readStateBytes(redis, edit.info);
  const fates = await finishInTurns(tellFates({ ...edit, states }));
  const page = list === undefined ? noPage : await listFates(edit, fates, list);
  return { ...countFates(edit, fates), ...page };
}

const noPage = { tasks: [], next: null };

export interface EditContext {
  readonly redis: RedisClient;
  readonly executors: ExecutorFacts;
  now(): number;
}

export interface NewRevision extends EditRequest {
  /** Who asks; null: not said. */
  readonly by: string | null;
  readonly spec: SubmittedSpec;
  readonly priority: number;
}

/** An edit that was made. */
export interface EditDone extends EditAnswer {
  /** How long nothing of the run could start. */
  readonly frozenMs: number;
}

/**
 * Gives a run another spec: see edit-protocol.ts in the store. Throws NotFoundError, ConflictError where the
 * run can't be edited now, RevisionChangedError where it is not the one that was read any more.
 */
export async function editRun(
  context: EditContext,
  info: RunInfo,
  request: NewRevision,
): Promise<EditDone> {
  for (let tries = 1, latest = info; ; tries++) {
    const change = await begin(context, latest, request);
    if (change !== 'grown') return await finish(change);
    const { namespace, id } = info.facts.handle;
    if (tries === mostTries) throw growsOn(id);
    latest = new RunInfo(context.redis, await readRunFacts(context.redis, namespace, id));
  }
}

/** A run whose generators have sets join it all the time is read again so often. */
const mostTries = 8;

interface Change {
  readonly context: EditContext;
  readonly edit: PreparedEdit;
  readonly token: string;
  readonly queues: EditQueues;
  readonly shadow: Shadow;
  readonly request: NewRevision;
}

/** Writes what the new revision is made of, and freezes the run. `grown`: tasks joined it meanwhile. */
async function begin(
  context: EditContext,
  info: RunInfo,
  request: NewRevision,
): Promise<Change | 'grown'> {
  const { redis, executors, now } = context;
  const edit = await prepareEdit(redis, info, request);
  const { facts } = edit.info;
  const token = randomBytes(8).toString('hex');
  const queues = await planQueues(redis, edit, executors);
  const shadow = await openShadow(redis, facts.handle, { token, queues: queues.names, now: now() });
  await writeRevision(redis, edit, { shadow, queues, request });
  await failpoint('edit.after-parts');
  const answer = await freezeRun(redis, { token, facts }, now());
  await failpoint('edit.after-begin');
  if (answer !== 'begun') await dropShadow(redis, shadow);
  if (answer === 'grown') return 'grown';
  if (answer !== 'begun') throw refusal(facts.handle.id, answer);
  return { context, edit, token, queues, shadow, request };
}

async function finish(change: Change): Promise<EditDone> {
  const began = performance.now();
  const { fates, page } = await whileFrozen(change, () => swap(change));
  const frozenMs = Math.round(performance.now() - began);
  return { ...countFates(change.edit, fates), ...page, frozenMs };
}

async function writeRevision(
  redis: RedisClient,
  edit: PreparedEdit,
  { shadow, queues, request }: Pick<Change, 'shadow' | 'queues' | 'request'>,
): Promise<void> {
  const { nodeOf, isCarried } = edit.numbering;
  const isPlanned = (number: number): boolean => (nodeOf[number] ?? 0) !== 0;
  const carried = await readCarried(redis, edit.info, { isCarried, isPlanned });
  await writeParts(shadow, partsOf(edit, queues, carried));
  await copyChunks(redis, edit.info, shadow, carried.chunks);
  await writeSpec(shadow, request.spec, request.plan);
  await shadow.pages.flush();
}

function partsOf(
  edit: PreparedEdit,
  queues: EditQueues,
  carried: CarriedNodes,
): ReturnType<typeof listEditParts> {
  const { numbering, plan } = edit;
  return listEditParts({
    ...{ ...withoutLater(edit), numberOf: numbering.numberOf, carried },
    payloads: () => planPayloads(plan),
    routes: queues.routes,
    queues: queues.names,
    oldGroupIndex: queues.oldGroupIndex,
  });
}

/** Well within the time after which an editor is taken for gone. */
const renewEveryMs = 1_000;

/** Does the work, gives signs that the editor is alive, and sees to it that the run goes on whatever happens. */
async function whileFrozen<T>(change: Change, work: () => Promise<T>): Promise<T> {
  const { context, edit, token } = change;
  const { redis, now } = context;
  const { facts } = edit.info;
  const renewal = setInterval(() => {
    // Where Redis is away the run is thawed, and the swap says so.
    freezeRun(redis, { token, facts }, now()).catch(() => undefined);
  }, renewEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await goOn(change);
  }
}

interface Swapped {
  readonly fates: Uint8Array;
  readonly page: Pick<EditAnswer, 'tasks' | 'next'>;
}

async function swap({ context, edit, token, queues, shadow, request }: Change): Promise<Swapped> {
  const { redis, now } = context;
  const { facts } = edit.info;
  // Workers claim what was reserved for them, and so wait.
  await redis.publish(editChannel(facts.handle.namespace), facts.handle.id);
  const frozen = await readFrozen(redis, edit.info);
  if (frozen.states.includes(stateCode.reused)) {
    // In a moment they have ended as what they were.
    await dropShadow(redis, shadow);
    throw inFlight(facts.handle.id, 'changing');
  }
  const fates = await finishInTurns(tellFates({ ...edit, states: frozen.states }));
  const { queueOf, names } = queues;
  const next = await finishInTurns(
    computeNext({ edit, fates, frozen, queueOf, queueCount: names.length }),
  );
  await writeState(shadow, next);
  const { classes: _, ...counts } = countFates(edit, fates);
  // Ids of what goes can't be read afterwards.
  const page = request.list === undefined ? noPage : await listFates(edit, fates, request.list);
  await failpoint('edit.before-swap');
  const answer = await swapIn(redis, {
    ...{ token, facts, shadow: shadow.run, now: now(), by: request.by },
    fields: recordFields(edit, { queues: names, totals: next.totals, priority: request.priority }),
    record: JSON.stringify({ at: now(), by: request.by, ...counts }),
  });
  await failpoint('edit.after-swap');
  if (answer === null) throw noSuchRun(facts.handle.id);
  if (answer !== 'swapped') throw tookTooLong(facts.handle.id);
  return { fates, page };
}

/** What is left to do after the swap, or giving up before it. What is cut off here, the listener does. */
async function goOn({ context, edit, token }: Change): Promise<void> {
  const { redis, now } = context;
  const { handle } = edit.info.facts;
  for (;;) {
    const step = await goOnWithEdit(redis, handle, { token, now: now() });
    await failpoint('edit.after-page');
    if (step !== 'paging') break;
  }
  // What they have may not be wanted any more.
  await redis.publish(editChannel(handle.namespace), handle.id);
}

function tookTooLong(id: string): Error {
  return new ConflictError(
    `run ${id} went on while it was edited, as the edit took too long: try again`,
  );
}

function growsOn(id: string): Error {
  return new ConflictError(
    `run ${id} has generated tasks join it faster than it can be edited: pause it, and try again`,
  );
}

function refusal(id: string, answer: string | null): Error {
  switch (answer) {
    case null:
      return noSuchRun(id);
    case 'changed':
      return changedMeanwhile(id);
    case 'editing':
    case 'changing':
    case 'retrying':
      return inFlight(id, answer);
    case 'halting':
      return new ConflictError(`run ${id} is being ended early: ask again when it has ended`);
    case 'submitting':
      return beingSubmitted(id);
    default:
      return new ConflictError(
        `run ${id} has not been started: delete it and submit the new spec, or start it first`,
      );
  }
}
