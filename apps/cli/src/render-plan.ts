import { plural } from '@runnel/core';
import type { Advice, PlanMeasures, Simulation } from '@runnel/planning';
import { formatElapsed } from './format-time.ts';
import { formatTable } from './table.ts';

/** What a spec would become, for people. */
export function renderMeasures(measures: PlanMeasures): readonly string[] {
  const { classes, longestPath, widestLayer, redisBytes } = measures;
  const rows = classes.map((row) => [row.class, String(row.tasks), String(row.edges)]);
  const { layer, tasks } = widestLayer;
  return [
    ...formatTable(['CLASS', 'TASKS', 'EDGES'], rows),
    '',
    `longest path  ${plural(longestPath.tasks, 'task')}: ${renderPath(longestPath.classes)}`,
    `widest layer  ${plural(tasks, 'task')}, ${describeLayer(layer)}`,
    `in Redis      about ${formatBytes(redisBytes)} when it has ended, without outputs and logs`,
  ];
}

function describeLayer(layer: number): string {
  if (layer === 0) return 'the roots';
  return layer === 1 ? 'one step from the roots' : `${layer} steps from the roots`;
}

/** More would not be read. */
const shownParts = 12;

function renderPath(classes: PlanMeasures['longestPath']['classes']): string {
  const parts = classes.map((part) =>
    part.tasks > 1 ? `${part.class} ×${part.tasks}` : part.class,
  );
  if (parts.length <= shownParts) return parts.join(' → ');
  const half = shownParts / 2;
  return [...parts.slice(0, half), '…', ...parts.slice(-half)].join(' → ');
}

/** What a simulated run came to. */
export function renderSimulation(
  { makespanMs, state, tasks, attempts, pools, path }: Simulation,
  advice: readonly Advice[],
): readonly string[] {
  const counts = Object.entries(tasks).map(([name, count]) => `${count} ${name}`);
  return [
    `makespan      ${formatElapsed(makespanMs)}, ${state}: ${counts.join(', ')} in ${plural(attempts, 'attempt')}`,
    '',
    ...formatTable(
      ['QUEUE', 'SLOTS', 'BUSY AT MOST', 'WAITING AT MOST', 'USED'],
      pools.map((pool) => [
        pool.queue,
        String(pool.slots),
        String(pool.peakBusy),
        String(pool.peakWaiting),
        `${Math.round(pool.utilization * 100)} %`,
      ]),
    ),
    '',
    ...formatTable(
      ['CRITICAL PATH', 'TASKS', 'RUNNING', 'FOR A SLOT', 'RETRIES'],
      mergeClasses(path).map((part) => [
        part.class,
        String(part.tasks),
        formatElapsed(part.runMs),
        formatElapsed(part.slotMs),
        formatElapsed(part.retryMs),
      ]),
    ),
    ...(advice.length === 0 ? [] : ['', 'What would shorten it:']),
    ...advice.map((one) => `  ${renderAdvice(one, makespanMs)}`),
  ];
}

/** A path that goes to and fro between classes is told by class, in first order. */
function mergeClasses(path: Simulation['path']): Simulation['path'] {
  const merged = new Map<string, Simulation['path'][number]>();
  for (const part of path) {
    const before = merged.get(part.class);
    merged.set(part.class, {
      class: part.class,
      tasks: part.tasks + (before?.tasks ?? 0),
      runMs: part.runMs + (before?.runMs ?? 0),
      slotMs: part.slotMs + (before?.slotMs ?? 0),
      retryMs: part.retryMs + (before?.retryMs ?? 0),
    });
  }
  return [...merged.values()];
}

function renderAdvice(advice: Advice, makespanMs: number): string {
  const share = Math.round((1 - advice.makespanMs / makespanMs) * 100);
  const gain = `${formatElapsed(advice.makespanMs)} (−${share} %)`;
  if (advice.kind === 'slots') return `${advice.slots} slots for ${advice.queue}: ${gain}`;
  if (advice.kind === 'class') return `${advice.class} in half the time: ${gain}`;
  return `slots without limit: ${gain}, less only by quicker tasks or another graph`;
}

function formatBytes(bytes: number): string {
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
