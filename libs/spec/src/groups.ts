import type { Group, InputShape } from '@runnel/core';
import { type Barrier, barrierKey } from './barriers.ts';
import type { Entry } from './entry.ts';
import { barrierPolicy } from './kinds/barrier.ts';
import type { Policy } from './kinds/kind.ts';

/** Groups, and which one each entry belongs to. */
export interface Grouping {
  readonly groups: readonly Group[];
  readonly groupOfEntry: Uint32Array;
  readonly groupRanges: Uint32Array;
  /** 1 for each entry whose details are not those of its group. */
  readonly differs: Uint8Array;
}

interface GrowingGroup {
  readonly number: number;
  readonly entry: Entry;
  readonly inputs: readonly InputShape[];
  /** The first entry's details as text, once they were compared. */
  text: string | null;
}

/**
 * Interns groups. Single tasks that differ only in details or id share one, with what differs in
 * their payloads: an irregular graph of a million entries has few groups. Expanded entries with
 * details of their own are groups of their own.
 */
export function groupEntries(
  entries: readonly Entry[],
  inputs: readonly (readonly InputShape[])[],
  barriers: ReadonlyMap<string, Barrier>,
): Grouping {
  const growing = new Map<string, GrowingGroup>();
  const groupOfEntry = new Uint32Array(entries.length);
  const differs = new Uint8Array(entries.length);
  const policies = new PolicyNumbers();
  for (const entry of entries) {
    const shapes = inputs[entry.index] ?? [];
    const key = keyOf(entry, shapes, policies);
    const known = growing.get(key);
    const group = known ?? {
      number: growing.size,
      entry,
      inputs: shapes,
      text: null,
    };
    if (known === undefined) growing.set(key, group);
    else if (differsFrom(known, entry)) differs[entry.index] = 1;
    groupOfEntry[entry.index] = group.number;
  }
  const groups = [
    ...Array.from(growing.values(), toGroup),
    ...Array.from(barriers.values(), toBarrierGroup),
  ];
  const groupRanges = listRanges(entries, groupOfEntry, {
    first: growing.size,
    count: barriers.size,
  });
  return { groups, groupOfEntry, groupRanges, differs };
}

class PolicyNumbers {
  readonly #numbers = new Map<Policy, number>();

  numberOf(policy: Policy): number {
    const number = this.#numbers.get(policy) ?? this.#numbers.size;
    this.#numbers.set(policy, number);
    return number;
  }
}

function keyOf(entry: Entry, inputs: readonly InputShape[], policies: PolicyNumbers): string {
  const axes = entry.table.columns.map((column) => column.name).join();
  const shapes = inputs.map((input) => `${input.class}${input.single ? '' : '*'}`).join();
  // Details that are null are told by the group alone.
  const isShared = axes === '' && entry.details !== null;
  const details = isShared ? '' : JSON.stringify(entry.details);
  const reads = readsOutputs(entry) ? 'o' : '';
  return `${entry.class}|${policies.numberOf(entry.policy)}|${axes}|${shapes}|${reads}|${details}`;
}

function readsOutputs(entry: Entry): boolean {
  return entry.template !== null && entry.template.names.outputs.length > 0;
}

function differsFrom(group: GrowingGroup, entry: Entry): boolean {
  if (group.entry.details === entry.details) return false;
  group.text ??= JSON.stringify(group.entry.details);
  return group.text !== JSON.stringify(entry.details);
}

function toGroup({ entry, inputs }: GrowingGroup): Group {
  return {
    class: entry.class,
    ...entry.policy,
    axes: entry.table.columns.map((column) => column.name),
    details: entry.details,
    inputs,
    readsOutputs: readsOutputs(entry),
  };
}

function toBarrierGroup(barrier: Barrier): Group {
  return barrierGroup(barrierKey(barrier, barrier.runIf));
}

/** Shared with single tasks. */
export function barrierGroup(name: string): Group {
  return {
    class: name,
    ...barrierPolicy,
    axes: [],
    details: null,
    inputs: [],
    readsOutputs: false,
  };
}

/** Pairs of first task and group; neighbours of one group share a pair. */
function listRanges(
  entries: readonly Entry[],
  groupOfEntry: Uint32Array,
  barriers: { readonly first: number; readonly count: number },
): Uint32Array {
  const pairs: number[] = [];
  let last = -1;
  let nextId = 0;
  for (const entry of entries) {
    const group = groupOfEntry[entry.index] ?? 0;
    if (group !== last) pairs.push(entry.firstId, group);
    last = group;
    nextId = entry.firstId + entry.table.count;
  }
  for (let index = 0; index < barriers.count; index++) {
    pairs.push(nextId + index, barriers.first + index);
  }
  return Uint32Array.from(pairs);
}
