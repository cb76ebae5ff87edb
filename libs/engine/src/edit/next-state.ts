import { edgeCondition, edgeId, type Steps } from '@runnel/core';
import {
  edgeFlags,
  encodeReadyEntry,
  type FrozenState,
  finalStateOf,
  type NextState,
  stateCode,
  verdictOf,
} from '@runnel/store';
import { fateCode } from './fates.ts';
import { type KeptDeliveries, keepDeliveries } from './keep-deliveries.ts';
import { type KeptPauses, keepPauses } from './keep-pauses.ts';
import { listGrown } from './list-grown.ts';
import { listResets } from './list-resets.ts';
import { nodeKinds } from './node-facts.ts';
import type { PreparedEdit } from './prepare-edit.ts';

/** Where a run goes on after an edit. */
export interface NextContext {
  readonly edit: PreparedEdit;
  readonly fates: Uint8Array;
  readonly frozen: FrozenState;
  /** By group: the number of its queue. */
  readonly queueOf: readonly number[];
  readonly queueCount: number;
}

const nodesPerStep = 8_192;

/** No visit decides it: the counterpart of prelude-grow.lua. */
const retiredWord = 0x08_ff_ff_ff;

/**
 * What every node comes to under the new spec, parents first: what is kept stays as it is, all else follows
 * from its parents. Nothing is left to be visited afterwards.
 */
export function* computeNext(context: NextContext): Steps<NextState> {
  const { edit, fates, frozen } = context;
  const kept = keepDeliveries(edit, fates, frozen.deliveries);
  yield;
  const next = new NextNodes(context, kept);
  for (let index = 0; index < edit.order.length; index++) {
    next.decide(edit.order[index] ?? 0);
    if (index % nodesPerStep === 0) yield;
  }
  for (let number = 0; number < edit.structure.nodeCount; number++) {
    next.count(number);
    if (number % nodesPerStep === 0) yield;
  }
  return next.finish(yield* listResets(context, kept));
}

class NextNodes {
  readonly #context: NextContext;
  readonly #kept: KeptDeliveries;
  readonly #states: Uint8Array;
  readonly #words: Buffer;
  readonly #counts: Map<string, number>;
  readonly #totals: Record<string, number> = { fin: 0, bad: 0, delayed: 0 };
  readonly #ready: ReadyLists;
  readonly #parked = new ReadyLists(1);
  readonly #paused: KeptPauses;

  constructor(context: NextContext, kept: KeptDeliveries) {
    const { edit, fates, frozen, queueCount } = context;
    this.#context = context;
    this.#kept = kept;
    this.#states = new Uint8Array(edit.structure.nodeCount);
    this.#words = Buffer.alloc(edit.structure.nodeCount * 4);
    this.#counts = new Map(
      Object.entries(frozen.measured).map(([field, value]) => [field, Number(value)]),
    );
    this.#ready = new ReadyLists(queueCount);
    this.#paused = keepPauses(edit, fates, frozen.paused);
    for (let code = stateCode.succeeded; code <= stateCode.cancelled; code++) {
      this.#totals[`c${code}`] = 0;
    }
    // What was replaced is no task any more.
    this.#totals['barriers'] = edit.structure.barrierCount;
  }

  /** Its word and its state byte; all its parents have theirs. */
  decide(number: number): void {
    const { edit, fates, frozen } = this.#context;
    const kind = edit.structure.kinds[number];
    if (kind === nodeKinds.padding) {
      this.#states[number] = stateCode.succeeded;
      return;
    }
    const fate = fates[number];
    if (fate === fateCode.replaced) {
      this.#words.writeUInt32BE(retiredWord, number * 4);
      this.#states[number] = stateCode.retired;
      return;
    }
    const { word, rule } = this.#countParents(number);
    this.#words.writeUInt32BE(word, number * 4);
    if (kind === nodeKinds.task && fate === fateCode.reused) {
      this.#states[number] = frozen.states[number] ?? 0;
      return;
    }
    const verdict = verdictOf(rule, word);
    if (verdict === null) return;
    const runs = kind === nodeKinds.task && verdict === stateCode.succeeded;
    if (!runs) this.#states[number] = verdict;
    // One that waits for its next attempt goes on waiting.
    else if (fate === fateCode.kept) this.#states[number] = frozen.states[number] ?? 0;
  }

  #countParents(number: number): { readonly word: number; readonly rule: number } {
    const { parentOffsets, parents } = this.#context.edit.structure;
    const last = parentOffsets[number + 1] ?? 0;
    let left = 0;
    let flags = 0;
    let rule = 0;
    for (let index = parentOffsets[number] ?? 0; index < last; index++) {
      const edge = parents[index] ?? 0;
      const condition = edgeCondition(edge);
      rule = condition >>> 2;
      const code = this.#states[edgeId(edge)] ?? 0;
      // An end barrier waits for its generator alone until that has generated anew.
      if (code === stateCode.retired) continue;
      if (finalStateOf(code) === undefined) left++;
      else flags |= edgeFlags(condition, code);
    }
    return { word: ((flags << 24) | left) >>> 0, rule };
  }

  /** In the order of numbers, so that ready lists have that order. */
  count(number: number): void {
    const { structure } = this.#context.edit;
    const code = this.#states[number] ?? 0;
    const isFinal = finalStateOf(code) !== undefined;
    if (isFinal || code === stateCode.retired) this.#add('fin');
    if (structure.kinds[number] !== nodeKinds.task) return;
    const group = structure.groupOf[number] ?? 0;
    if (code === stateCode.retired) {
      this.#countGroup(group, code);
      this.#add('barriers');
    } else if (isFinal) this.#countEnd(group, code);
    else if (code === stateCode.delayed) this.#add('delayed');
    else if (this.#isReady(number)) this.#makeReady(number, group);
  }

  #countEnd(group: number, code: number): void {
    this.#countGroup(group, code);
    this.#add(`c${code}`);
    const { groups } = this.#context.edit.structure;
    if (code === stateCode.failed && groups[group]?.allowFailure !== true) this.#add('bad');
  }

  /** Where it is paused by itself, or its class is, it is put aside. */
  #makeReady(number: number, group: number): void {
    const { frozen, fates, queueOf } = this.#context;
    const known = this.#kept.flags.get(number) ?? frozen.flagged.get(number) ?? 0;
    const flags = fates[number] === fateCode.kept ? known : 0;
    const isAside = this.#paused.isPaused(group, number);
    if (isAside) this.#parked.add({ queue: 0, group, number, flags });
    else this.#ready.add({ queue: queueOf[group] ?? 0, group, number, flags });
    this.#countGroup(group, stateCode.ready);
  }

  #isReady(number: number): boolean {
    if (this.#kept.open.has(number)) return false;
    const word = this.#words.readUInt32BE(number * 4);
    return word >>> 24 >= 8 || (word & 0xff_ff_ff) === 0;
  }

  finish(resets: Uint32Array): NextState {
    const { deliveries, inFlight, open } = this.#kept;
    const { queueCount } = this.#context;
    const totals: Record<string, number> = { ...this.#totals, open: open.size };
    for (let queue = 0; queue < queueCount; queue++) {
      totals[`r${queue}`] = this.#ready.counts[queue] ?? 0;
      totals[`i${queue}`] = inFlight.get(queue) ?? 0;
    }
    // Failures that are there stop nothing any more.
    totals['forgiven'] = totals['bad'] ?? 0;
    const { pausedGroups, pausedTasks, fields: paused } = this.#paused;
    Object.assign(totals, { pausedGroups, pausedTasks, parked: this.#parked.counts[0] ?? 0 });
    const ready = this.#ready.finish();
    const parked = this.#parked.finish()[0] ?? [];
    return {
      states: this.#states,
      words: this.#words,
      counts: this.#counts,
      ...{ deliveries, ready, parked, paused, resets, totals },
      grown: listGrown(this.#context),
    };
  }

  #add(total: string): void {
    this.#totals[total] = (this.#totals[total] ?? 0) + 1;
  }

  #countGroup(group: number, code: number): void {
    const field = `${group}:${code}`;
    this.#counts.set(field, (this.#counts.get(field) ?? 0) + 1);
  }
}

/** Tasks of one entry at most. */
const tasksPerEntry = 256;

interface ReadyTask {
  readonly queue: number;
  readonly group: number;
  readonly number: number;
  readonly flags: number;
}

class ReadyLists {
  readonly counts: number[];
  readonly #entries: Buffer[][];
  /** By group: what its next entry will have. */
  readonly #open = new Map<number, { readonly queue: number; readonly ids: number[] }>();

  constructor(queues: number) {
    this.counts = Array.from({ length: queues }, () => 0);
    this.#entries = Array.from({ length: queues }, () => []);
  }

  add({ queue, group, number, flags }: ReadyTask): void {
    this.counts[queue] = (this.counts[queue] ?? 0) + 1;
    if (flags !== 0) {
      this.#entries[queue]?.push(encodeReadyEntry(group, flags, [number]));
      return;
    }
    const open = this.#open.get(group) ?? { queue, ids: [] };
    this.#open.set(group, open);
    open.ids.push(number);
    if (open.ids.length === tasksPerEntry) this.#close(group);
  }

  finish(): readonly (readonly Buffer[])[] {
    for (const group of [...this.#open.keys()]) this.#close(group);
    return this.#entries;
  }

  #close(group: number): void {
    const open = this.#open.get(group);
    this.#open.delete(group);
    if (open === undefined) return;
    this.#entries[open.queue]?.push(encodeReadyEntry(group, 0, open.ids));
  }
}
