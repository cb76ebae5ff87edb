import { stateCode } from '@runnel/store';
import type { Findings } from './finding.ts';
import type { RunLook } from './run-look.ts';

const finalCodes = [2, 3, 4, 5, 6] as const;

type Compare = (name: string, right: number, stored: string | undefined, as?: string) => void;

/** Counters of the run, of its queues and its groups against what they count. */
export function checkCounts(look: RunLook, findings: Findings): void {
  const { now } = look;
  if (!now.isExact) {
    findings.unchecked.push(
      `run ${look.facts.handle.id}: its counters, since it moves while it is read`,
    );
    return;
  }
  const compare: Compare = (name, right, stored, as = name) => {
    const difference = right - Number(stored ?? 0);
    if (difference === 0) return;
    const sign = difference > 0 ? 'low' : 'high';
    findings.add('count-wrong', `${name} is ${Math.abs(difference)} too ${sign}`, {
      mend: { by: 'counters', name: as, difference },
    });
  };
  const byGroup = countByGroup(look);
  const places = countPlaces(look);
  compareTotals(look, byGroup, compare);
  compare('open', places.open, now.meta['open']);
  compare('parked', places.parked, now.meta['parked']);
  for (const queue of look.facts.handle.queues.keys()) {
    compare(`r${queue}`, places.ready[queue] ?? 0, now.meta[`r${queue}`], `ready:${queue}`);
    compare(`i${queue}`, places.inflight[queue] ?? 0, now.meta[`i${queue}`], `inflight:${queue}`);
  }
  if (now.counts !== null) {
    compareGroups(look, now.counts, { byGroup, readyByGroup: places.readyByGroup }, compare);
    return;
  }
  findings.unchecked.push(
    `run ${look.facts.handle.id}: counts of its groups, of which it has many`,
  );
}

function compareTotals(look: RunLook, byGroup: Float64Array, compare: Compare): void {
  const { meta } = look.now;
  const byCode = new Float64Array(16);
  let ended = 0;
  let bad = 0;
  for (const [group, { isBarrier, allowsFailure }] of look.groups.entries()) {
    const own = byGroup.subarray(group * 16, group * 16 + 16);
    ended += endedOf(own);
    if (isBarrier) continue;
    addInto(byCode, own);
    if (!allowsFailure) bad += own[stateCode.failed] ?? 0;
  }
  compare('fin', ended, meta['fin']);
  compare('bad', bad, meta['bad']);
  for (const code of finalCodes) compare(`c${code}`, byCode[code] ?? 0, meta[`c${code}`]);
  if (meta['halt'] !== undefined) return;
  compare('delayed', byCode[stateCode.delayed] ?? 0, meta['delayed']);
  const ending = (byCode[stateCode.halting] ?? 0) + (byCode[stateCode.cancelling] ?? 0);
  compare('ending', ending, meta['ending']);
}

/** Nodes of a group that are final; what was retired is no task any more, but ended. */
function endedOf(own: Float64Array): number {
  return [...finalCodes, stateCode.retired].reduce((sum, code) => sum + (own[code] ?? 0), 0);
}

function addInto(sums: Float64Array, values: Float64Array): void {
  for (const [index, value] of values.entries()) sums[index] = (sums[index] ?? 0) + value;
}

function compareGroups(
  look: RunLook,
  stored: Readonly<Record<string, string>>,
  right: { readonly byGroup: Float64Array; readonly readyByGroup: Float64Array },
  compare: Compare,
): void {
  // A halt empties the ready lists and leaves these counts as they are.
  const isHalted = look.now.meta['halt'] !== undefined;
  for (const [group, { isBarrier }] of look.groups.entries()) {
    if (isBarrier) continue;
    for (const code of finalCodes) {
      const name = `group:${group}:${code}`;
      compare(name, right.byGroup[group * 16 + code] ?? 0, stored[`${group}:${code}`]);
    }
    if (isHalted) continue;
    const name = `group:${group}:${stateCode.ready}`;
    compare(name, right.readyByGroup[group] ?? 0, stored[`${group}:${stateCode.ready}`]);
  }
}

/** Nodes by group and state code: 16 places a group. */
function countByGroup({ now, groups, ranges }: RunLook): Float64Array {
  const byGroup = new Float64Array(groups.length * 16);
  for (let range = 0; range < ranges.length; range += 2) {
    const base = (ranges[range + 1] ?? 0) * 16;
    const stop = ranges[range + 2] ?? now.states.length;
    for (let node = ranges[range] ?? 0; node < stop; node++) {
      const at = base + ((now.states[node] ?? 0) & 15);
      byGroup[at] = (byGroup[at] ?? 0) + 1;
    }
  }
  return byGroup;
}

function countPlaces(look: RunLook): {
  readonly open: number;
  readonly inflight: readonly number[];
  readonly ready: readonly number[];
  readonly parked: number;
  readonly readyByGroup: Float64Array;
} {
  const readyByGroup = new Float64Array(look.groups.length);
  const [parked = 0, ...ready] = [look.parked, ...look.ready].map((entries) => {
    let count = 0;
    for (const { entry } of entries) {
      if (entry === null) continue;
      count += entry.ids.length;
      readyByGroup[entry.group] = (readyByGroup[entry.group] ?? 0) + entry.ids.length;
    }
    return count;
  });
  const inflight = look.facts.handle.queues.map(() => 0);
  let open = 0;
  for (const { delivery } of look.deliveries) {
    if (delivery === null) continue;
    inflight[delivery.queue] = (inflight[delivery.queue] ?? 0) + 1;
    open += delivery.open.filter(Boolean).length;
  }
  return { open, inflight, ready, parked, readyByGroup };
}
