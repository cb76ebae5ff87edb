import {
  mostClasses,
  type WireClass,
  type WireRun,
  type WireRunSummary,
  wireClass,
} from '@runnel/client';
import { type RunInfo, type RunSummary, readClasses } from '@runnel/store';
import { z } from 'zod';
import type { ApiContext } from './context.ts';
import { toWirePausedParts } from './paused-parts.ts';

/** Groups are read to count classes; with many more than classes are listed they are not read at all. */
const mostGroups = 10 * mostClasses;

export function runPath(id: string): string {
  return `/api/v1/runs/${encodeURIComponent(id)}`;
}

export function toWireRunSummary(run: RunSummary, base: string): WireRunSummary {
  const { facts } = run;
  const self = `${base}${runPath(facts.handle.id)}`;
  return {
    id: facts.handle.id,
    name: facts.name,
    tags: { ...facts.tags },
    state: run.state,
    createdAt: toIso(facts.createdAt),
    startedAt: toIsoOrNull(run.startedAt),
    endedAt: toIsoOrNull(run.endedAt),
    pausedAt: toIsoOrNull(run.pausedAt),
    submittedBy: run.by,
    pausedBy: run.pausedBy,
    cancelledBy: run.cancelledBy,
    taskCount: run.taskCount,
    counts: run.counts,
    priority: facts.priority,
    source: facts.source,
    isCancelling: run.halt === 'cancel' && run.endedAt === null,
    isStopping: run.halt === 'stop' && run.endedAt === null,
    logsCut: run.logsCut,
    duplicates: run.duplicates,
    isArchived: run.isArchived,
    links: { self, spec: `${self}/spec`, tasks: `${self}/tasks` },
  };
}

/** The same of a run that is only in the archive. */
export function toWireArchivedRun(run: RunSummary, classes: string | null, base: string): WireRun {
  const summary = toWireRunSummary(run, base);
  // Nothing is paused of a run that has ended.
  if (classes === null) return { ...summary, pausedParts: null, classesOmitted: true };
  const counted = keptClasses.parse(JSON.parse(classes));
  return { ...summary, pausedParts: null, classes: counted, classesOmitted: false };
}

const keptClasses = z.array(wireClass);

/** With the counts of each class, if these are not too many. */
export async function toWireRun(
  context: ApiContext,
  run: RunSummary,
  base: string,
): Promise<WireRun> {
  const summary = toWireRunSummary(run, base);
  // A run that is being submitted has no groups to read yet, and what is read is kept.
  const isReadable = run.state !== 'submitting' && run.facts.groupCount <= mostGroups;
  if (!isReadable) return { ...summary, pausedParts: null, classesOmitted: true };
  const info = await openInfo(context, run);
  const pausedParts = run.hasPausedParts ? await toWirePausedParts(context, info) : null;
  const classes = await readClasses(context.redis, info);
  if (classes.length > mostClasses) return { ...summary, pausedParts, classesOmitted: true };
  return { ...summary, pausedParts, classes: classes.map(toWireClass), classesOmitted: false };
}

function toWireClass({ class: name, total, counts, meanMs }: WireClass): WireClass {
  return { class: name, total, counts, meanMs };
}

/**
 * The kept parts of a run that was just read. A deleted run's id comes back when its Idempotency-Key
 * is used again: the time of creation tells the new run from the old. One that has grown is read again.
 */
export async function openInfo(context: ApiContext, run: RunSummary): Promise<RunInfo> {
  const { id } = run.facts.handle;
  const kept = await context.infos.read(id);
  const { createdAt, shape } = run.facts;
  if (kept.facts.createdAt === createdAt && kept.facts.shape >= shape) return kept;
  context.infos.forget(id);
  return context.infos.read(id);
}

export function toIso(time: number): string {
  return new Date(time).toISOString();
}

function toIsoOrNull(time: number | null): string | null {
  return time === null ? null : toIso(time);
}
