import type { WireRunSummary } from '@runnel/client';
import { oneLine } from './clean.ts';
import { formatAge, formatElapsed } from './format-time.ts';
import { countFinal } from './progress.ts';
import { type Style, styleState } from './style.ts';
import { formatTable } from './table.ts';

/** A table of runs; nothing where there are none. */
export function renderRuns(
  runs: readonly WireRunSummary[],
  style: Style,
  nowMs: number,
): readonly string[] {
  if (runs.length === 0) return [];
  const rows = runs.map((run) => [
    run.id,
    oneLine(run.name ?? '-'),
    styleState(style, run.state),
    `${countFinal(run.counts)}/${run.taskCount}`,
    String(run.counts.failed),
    formatAge(nowMs - Date.parse(run.createdAt)),
    durationOf(run, nowMs),
    renderTags(run.tags),
  ]);
  return formatTable(['RUN', 'NAME', 'STATE', 'DONE', 'FAILED', 'CREATED', 'TOOK', 'TAGS'], rows);
}

/** `env=test team=data`. */
export function renderTags(tags: WireRunSummary['tags']): string {
  return oneLine(
    Object.entries(tags)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  );
}

function durationOf({ startedAt, endedAt }: WireRunSummary, nowMs: number): string {
  if (startedAt === null) return '-';
  return formatElapsed((endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(startedAt));
}
