import type { RawReply } from './script.ts';

/** Decoders of what scripts reply; a wrong shape is a bug and says so. */
export function toInteger(raw: RawReply): number {
  if (typeof raw === 'number') return raw;
  throw new Error(`expected an integer from a script, got ${String(raw)}`);
}

export function toText(raw: RawReply | undefined): string {
  if (Buffer.isBuffer(raw)) return raw.toString();
  throw new Error(`expected a string from a script, got ${String(raw)}`);
}

export function toBytes(raw: RawReply | undefined): Buffer {
  if (Buffer.isBuffer(raw)) return raw;
  throw new Error(`expected bytes from a script, got ${String(raw)}`);
}

export function toList(raw: RawReply): readonly RawReply[] {
  if (Array.isArray(raw)) return raw;
  throw new Error(`expected a list from a script, got ${String(raw)}`);
}

export function numberAt(list: readonly RawReply[], index: number): number {
  return toInteger(list[index] ?? null);
}

/** Nil becomes null, everything else goes through `decode`. */
export function nullable<Reply>(decode: (raw: RawReply) => Reply): (raw: RawReply) => Reply | null {
  return (raw) => (raw === null ? null : decode(raw));
}
