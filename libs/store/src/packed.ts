import type { FinalTaskState } from '@runnel/core';

/** The binary layouts of the store: the counterpart of lua/prelude-packed.lua. */

/** Codes of the state byte. */
export const stateCode = {
  none: 0,
  ready: 1,
  succeeded: 2,
  failed: 3,
  skipped: 4,
  'upstream-failed': 5,
  cancelled: 6,
  delayed: 7,
  suspended: 8,
  halting: 9,
  cancelling: 10,
  /** Of a generated set that was replaced: final, and no task any more. */
  retired: 11,
  /** Its result was carried over from a replaced set: it ends with that when its parents let it run. */
  reused: 12,
} as const;

const finalByCode: readonly (FinalTaskState | undefined)[] = [
  undefined,
  undefined,
  'succeeded',
  'failed',
  'skipped',
  'upstream-failed',
  'cancelled',
  undefined,
  undefined,
  undefined,
  undefined,
  // Retired: whoever still asks for it by its number is told so.
  'cancelled',
];

/** The final state behind a state byte, if it is one. */
export function finalStateOf(code: number): FinalTaskState | undefined {
  return finalByCode[code];
}

export const tokenBytes = 8;
const headBytes = 28;

/** 1..256 ready tasks of one group, handed to a worker at once. */
export interface Delivery {
  readonly carrier: number;
  readonly token: Buffer;
  readonly attemptsStarted: number;
  readonly starts: number;
  readonly group: number;
  readonly cutAtS: number;
  readonly isolated: boolean;
  /** 1: its tasks travel alone, 2: in a process of their own. */
  readonly flags: number;
  readonly queue: number;
  readonly ids: readonly number[];
  readonly attempts: readonly number[];
  readonly open: readonly boolean[];
}

export function isClaimed(delivery: Delivery): boolean {
  return delivery.token.some((byte) => byte !== 0);
}

export function decodeDelivery(carrier: number, raw: Buffer): Delivery {
  const n = raw.length < headBytes ? 0 : raw.readUInt16LE(24);
  const size = headBytes + 5 * n + Math.ceil(n / 8);
  if (raw.length !== size) {
    throw new Error(`delivery ${carrier}: ${raw.length} bytes where ${size} were expected`);
  }
  const attemptsAt = headBytes + 4 * n;
  const places = Array.from({ length: n }, (_, place) => place);
  return {
    carrier,
    token: raw.subarray(0, tokenBytes),
    attemptsStarted: raw.readUInt32LE(8),
    starts: raw.readUInt32LE(12),
    group: raw.readUInt32LE(16),
    cutAtS: raw.readUInt32LE(20),
    isolated: (raw.readUInt8(26) & 2) !== 0,
    flags: raw.readUInt8(26),
    queue: raw.readUInt8(27),
    ids: places.map((place) => raw.readUInt32LE(headBytes + 4 * place)),
    attempts: places.map((place) => raw.readUInt8(attemptsAt + place)),
    open: places.map(
      (place) => (raw.readUInt8(attemptsAt + n + (place >> 3)) & (1 << (place & 7))) !== 0,
    ),
  };
}

/** As a script would write it. */
export function encodeDelivery(delivery: Delivery): Buffer {
  const { ids, attempts, open } = delivery;
  const n = ids.length;
  const raw = Buffer.alloc(headBytes + 5 * n + Math.ceil(n / 8));
  delivery.token.copy(raw, 0);
  raw.writeUInt32LE(delivery.attemptsStarted, 8);
  raw.writeUInt32LE(delivery.starts, 12);
  raw.writeUInt32LE(delivery.group, 16);
  raw.writeUInt32LE(delivery.cutAtS, 20);
  raw.writeUInt16LE(n, 24);
  raw.writeUInt8(delivery.flags, 26);
  raw.writeUInt8(delivery.queue, 27);
  const attemptsAt = headBytes + 4 * n;
  for (let place = 0; place < n; place++) {
    raw.writeUInt32LE(ids[place] ?? 0, headBytes + 4 * place);
    raw.writeUInt8(attempts[place] ?? 1, attemptsAt + place);
    const at = attemptsAt + n + (place >> 3);
    if (open[place]) raw.writeUInt8(raw.readUInt8(at) | (1 << (place & 7)), at);
  }
  return raw;
}

/** An entry of a ready list: at most 256 ids of one group. */
export function encodeReadyEntry(group: number, flags: number, ids: readonly number[]): Buffer {
  const raw = Buffer.alloc(4 + 4 * ids.length);
  raw.writeUInt32LE(((flags << 24) | group) >>> 0, 0);
  for (const [index, id] of ids.entries()) raw.writeUInt32LE(id, 4 + 4 * index);
  return raw;
}

/** What is told of a carrier that is not in BullMQ yet. */
export interface OutboxEntry {
  readonly carrier: number;
  readonly group: number;
  readonly cutAtS: number;
  readonly taskCount: number;
  readonly queue: number;
  readonly firstId: number;
  readonly firstAttempt: number;
}

const outboxBytes = 24;

export function decodeOutbox(raw: Buffer): readonly OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  for (let at = 0; at + outboxBytes <= raw.length; at += outboxBytes) {
    entries.push({
      carrier: raw.readUInt32LE(at),
      group: raw.readUInt32LE(at + 4),
      cutAtS: raw.readUInt32LE(at + 8),
      taskCount: raw.readUInt16LE(at + 12),
      queue: raw.readUInt8(at + 15),
      firstId: raw.readUInt32LE(at + 16),
      firstAttempt: raw.readUInt8(at + 20),
    });
  }
  return entries;
}

export const outcomeBytes = 16;

/** One ended attempt, as it travels in the outcomes stream. */
export interface OutcomeRecord {
  /** Place in the delivery. */
  readonly place: number;
  readonly attempt: number;
  /** A code of `stateCode`: succeeded, failed, cancelled; the listener may turn failed into delayed. */
  readonly code: number;
  /** After the run's creation. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly worker: number;
  readonly exitCode: number;
  readonly signal: number;
}

export function encodeOutcome(record: OutcomeRecord, into: Buffer, at: number): void {
  into.writeUInt16LE(record.place, at);
  into.writeUInt8(record.attempt, at + 2);
  into.writeUInt8(record.code, at + 3);
  into.writeUInt32LE(clamp(record.startMs, 0xff_ff_ff_ff), at + 4);
  into.writeFloatLE(record.durationMs, at + 8);
  into.writeUInt16LE(record.worker & 0xff_ff, at + 12);
  into.writeUInt8(record.exitCode & 0xff, at + 14);
  into.writeUInt8(record.signal & 0xff, at + 15);
}

export function decodeOutcome(raw: Buffer, at: number): OutcomeRecord {
  return {
    place: raw.readUInt16LE(at),
    attempt: raw.readUInt8(at + 2),
    code: raw.readUInt8(at + 3),
    startMs: raw.readUInt32LE(at + 4),
    durationMs: raw.readFloatLE(at + 8),
    worker: raw.readUInt16LE(at + 12),
    exitCode: raw.readUInt8(at + 14),
    signal: raw.readUInt8(at + 15),
  };
}

export const attemptBytes = 12;

/** What is kept of a task's last attempt. */
export type AttemptRecord = Pick<
  OutcomeRecord,
  'startMs' | 'durationMs' | 'worker' | 'exitCode' | 'signal'
>;

/** Null where nothing was written: a task that never ran. */
export function decodeAttempt(raw: Buffer): AttemptRecord | null {
  if (raw.length < attemptBytes || raw.every((byte) => byte === 0)) return null;
  return {
    startMs: raw.readUInt32LE(0),
    durationMs: raw.readFloatLE(4),
    worker: raw.readUInt16LE(8),
    exitCode: raw.readUInt8(10),
    signal: raw.readUInt8(11),
  };
}

/** What goes beside packed outcomes: outputs and failures of some of them. */
export interface OutcomeExtra {
  readonly place: number;
  readonly kind: 'output' | 'failure';
  readonly json: string;
}

export function encodeExtras(extras: readonly OutcomeExtra[]): Buffer {
  return Buffer.concat(
    extras.flatMap(({ place, kind, json }) => {
      const bytes = Buffer.from(json);
      const head = Buffer.alloc(7);
      head.writeUInt16LE(place, 0);
      head.writeUInt8(kind === 'output' ? 1 : 2, 2);
      head.writeUInt32LE(bytes.length, 3);
      return [head, bytes];
    }),
  );
}

export function decodeExtras(raw: Buffer): readonly OutcomeExtra[] {
  const extras: OutcomeExtra[] = [];
  for (let at = 0; at + 7 <= raw.length; ) {
    const length = raw.readUInt32LE(at + 3);
    extras.push({
      place: raw.readUInt16LE(at),
      kind: raw.readUInt8(at + 2) === 1 ? 'output' : 'failure',
      json: raw.toString('utf8', at + 7, at + 7 + length),
    });
    at += 7 + length;
  }
  return extras;
}

/** Integers as they lie in a typed array: little endian, as on every machine that Node runs on. */
export function bytesOf(array: Uint32Array | Uint16Array | Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** A copy as integers, whatever the buffer's alignment. */
export function toUint32(raw: Buffer): Uint32Array {
  const copy = new Uint8Array(raw.length - (raw.length % 4));
  copy.set(raw.subarray(0, copy.length));
  return new Uint32Array(copy.buffer);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, Math.round(value)));
}
