import { bytesOf, stateCode } from '@runnel/store';
import type { FindingKind, Findings } from './finding.ts';
import { isCancelling, type RunLook, type SeenEntry } from './run-look.ts';

/** Where tasks are: how often in ready lists, how often open in deliveries; 255 stands for more. */
export interface Places {
  readonly ready: Uint8Array;
  readonly open: Uint8Array;
}

export function placesOf(look: RunLook): Places {
  const ready = new Uint8Array(look.facts.nodeCount);
  const open = new Uint8Array(look.facts.nodeCount);
  const lists = [...look.ready, look.parked].flat();
  for (const { entry } of lists) for (const id of entry?.ids ?? []) raise(ready, id);
  for (const { delivery } of look.deliveries) {
    delivery?.ids.forEach((id, place) => {
      if (delivery.open[place]) raise(open, id);
    });
  }
  return { ready, open };
}

function raise(array: Uint8Array, at: number): void {
  array[at] = Math.min(255, (array[at] ?? 0) + 1);
}

/** Entries of the ready lists: well-formed, and no task there that must not start, or starts elsewhere. */
export function checkReady(
  look: RunLook,
  places: Places,
  early: ReadonlySet<number>,
  findings: Findings,
): void {
  const { now, facts } = look;
  if (now.meta['halt'] !== undefined || !now.isExact) return;
  const seen = new Uint8Array(facts.nodeCount);
  // What a cancel has marked leaves the lists with its last pages.
  const isMarked = (code: number): boolean => code === stateCode.cancelling && isCancelling(look);
  const judge = (id: number): FindingKind | null => {
    const code = now.states[id] ?? 0;
    if (code !== stateCode.none && !isMarked(code)) return 'ready-ended';
    if (early.has(id)) return 'ready-early';
    const isTwice = seen[id] !== 0 || places.open[id] !== 0;
    seen[id] = 1;
    return isTwice ? 'ready-twice' : null;
  };
  for (const [queue, entries] of look.ready.entries()) {
    for (const entry of entries) checkEntry(entry, queue, findings, judge);
  }
  for (const entry of look.parked) checkEntry(entry, 'parked', findings, judge);
}

function checkEntry(
  { raw, entry }: SeenEntry,
  queue: number | 'parked',
  findings: Findings,
  judge: (id: number) => FindingKind | null,
): void {
  const list = queue === 'parked' ? queue : `ready${queue}`;
  if (entry === null) {
    findings.add('ready-malformed', `${list}: an entry of ${raw.length} bytes`, {
      mend: { by: 'ready', queue, entry: raw, rest: Buffer.alloc(0), group: null },
    });
    return;
  }
  const wrong: { readonly id: number; readonly kind: FindingKind }[] = [];
  const kept: number[] = [];
  for (const id of entry.ids) {
    const kind = judge(id);
    if (kind === null) kept.push(id);
    else wrong.push({ id, kind });
  }
  const ids = bytesOf(Uint32Array.from(kept));
  const rest = kept.length === 0 ? Buffer.alloc(0) : Buffer.concat([raw.subarray(0, 4), ids]);
  for (const [index, { id, kind }] of wrong.entries()) {
    // One repair takes all of them out of the entry.
    const mend = { by: 'ready', queue, entry: raw, rest, group: entry.group } as const;
    findings.add(kind, list, { task: id, ...(index === 0 ? { mend } : {}) });
  }
}
