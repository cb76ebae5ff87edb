import { finalStateOf } from '../packed.ts';

/** An entry of the backlog: accepted ends from a cursor on. */
export interface BacklogEntry {
  /** Ends before this one are visited. */
  readonly next: number;
  /** Edges of that one which are visited. */
  readonly edge: number;
  readonly ids: Uint32Array;
  readonly codes: Uint8Array;
}

const headBytes = 12;

/** Null where the bytes are no entry of a run with so many nodes. */
export function decodeBacklogEntry(raw: Buffer, nodeCount: number): BacklogEntry | null {
  if (raw.length < headBytes) return null;
  const next = raw.readUInt32LE(0);
  const count = raw.readUInt32LE(8);
  if (raw.length !== headBytes + count * 5 || next >= count) return null;
  const ids = Uint32Array.from({ length: count }, (_, index) =>
    raw.readUInt32LE(headBytes + index * 4),
  );
  const codes = new Uint8Array(raw.subarray(headBytes + count * 4));
  if (ids.some((id) => id >= nodeCount)) return null;
  if (codes.some((code) => finalStateOf(code) === undefined)) return null;
  return { next, edge: raw.readUInt32LE(4), ids, codes };
}

/** One entry of a ready list. */
export interface ReadyEntry {
  readonly group: number;
  readonly flags: number;
  readonly ids: Uint32Array;
}

/** Null where the bytes are no entry of a run with so many nodes and groups. */
export function decodeReadyEntry(
  raw: Buffer,
  size: { readonly nodeCount: number; readonly groupCount: number },
): ReadyEntry | null {
  if (raw.length < 8 || raw.length % 4 !== 0 || raw.length > 4 + 4 * 256) return null;
  const head = raw.readUInt32LE(0);
  const group = head & 0xff_ff_ff;
  const ids = Uint32Array.from({ length: raw.length / 4 - 1 }, (_, index) =>
    raw.readUInt32LE(4 + index * 4),
  );
  if (group >= size.groupCount || ids.some((id) => id >= size.nodeCount)) return null;
  return { group, flags: head >>> 24, ids };
}
