import type { WireDoctor, WireFinding } from '@runnel/client';
import type { Style } from './style.ts';

/** Findings of one kind that are written out for a person; `--json` has them all. */
const mostShown = 10;

/** What is wrong, kind by kind: what it means, where, and what a repair does. */
export function renderFindings(report: WireDoctor, style: Style): readonly string[] {
  const kinds = Map.groupBy(report.findings, ({ kind }) => kind);
  return [...kinds.values()].flatMap((same) => renderKind(same, report.mended !== null, style));
}

function renderKind(
  same: readonly WireFinding[],
  isRepaired: boolean,
  style: Style,
): readonly string[] {
  const [first] = same;
  if (first === undefined) return [];
  const { kind, means } = first;
  const repair = same.find((finding) => finding.repair !== null)?.repair ?? null;
  const word = isRepaired ? 'repair' : '--repair';
  const rest = same.length - mostShown;
  return [
    `${style.red(kind)}  ${means}`,
    ...same.slice(0, mostShown).map((finding) => `  ${placeOf(finding)}: ${finding.detail}`),
    ...(rest > 0 ? [style.dim(`  … and ${rest} more`)] : []),
    style.dim(repair === null ? '  no repair: see above' : `  ${word}: ${repair}`),
  ];
}

function placeOf({ run, task, carrier, queue, shard }: WireFinding): string {
  const parts = [
    run === null ? '' : `run ${run}`,
    task === null ? '' : `task ${task.id}`,
    carrier === null ? '' : `delivery ${carrier}`,
    queue === null ? '' : `queue ${queue}`,
    run === null && shard !== null ? `shard ${shard}` : '',
  ].filter(Boolean);
  return parts.join(', ') || 'service';
}
