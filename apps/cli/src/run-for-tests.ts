import type { WireClass, WireRun, WireStateCounts } from '@runnel/client';

export function countsOf(counts: Partial<WireStateCounts>): WireStateCounts {
  return {
    waiting: 0,
    ready: 0,
    queued: 0,
    running: 0,
    delayed: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    'upstream-failed': 0,
    cancelled: 0,
    ...counts,
  };
}

export function classOf(name: string, counts: Partial<WireStateCounts>): WireClass {
  const full = countsOf(counts);
  const total = Object.values(full).reduce((sum, count) => sum + count, 0);
  return { class: name, total, counts: full, meanMs: null };
}

/** A run of these classes, as the API tells it. */
export function runOf(classes: readonly WireClass[], more: Partial<WireRun> = {}): WireRun {
  const counts = countsOf({});
  for (const row of classes) {
    for (const [state, count] of Object.entries(row.counts)) addTo(counts, state, count);
  }
  return {
    id: 'r1',
    name: 'demo',
    tags: {},
    state: 'running',
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    pausedAt: null,
    ...{ submittedBy: null, pausedBy: null, cancelledBy: null, pausedParts: null },
    taskCount: classes.reduce((sum, row) => sum + row.total, 0),
    counts,
    priority: 0,
    source: null,
    isCancelling: false,
    isStopping: false,
    logsCut: false,
    duplicates: 0,
    isArchived: false,
    links: { self: '/r1', spec: '/r1/spec', tasks: '/r1/tasks' },
    classes: [...classes],
    classesOmitted: false,
    ...more,
  };
}

function addTo(counts: WireStateCounts, state: string, count: number): void {
  for (const name of Object.keys(counts)) {
    if (name === state && isState(counts, name)) counts[name] += count;
  }
}

function isState(counts: WireStateCounts, name: string): name is keyof WireStateCounts {
  return Object.hasOwn(counts, name);
}
