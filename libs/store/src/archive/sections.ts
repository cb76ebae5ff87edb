/** One page of a key of a run, as it was in Redis. */
export type RunSection = StringSection | FieldsSection | ListSection | EntriesSection;

export interface StringSection {
  readonly kind: 'string';
  readonly key: string;
  readonly offset: number;
  /** Bytes of the whole string. */
  readonly total: number;
  readonly bytes: Buffer;
}

export interface FieldsSection {
  readonly kind: 'hash';
  readonly key: string;
  /** field, value, … */
  readonly texts: readonly Buffer[];
}

export interface ListSection {
  readonly kind: 'list';
  readonly key: string;
  /** Entries of the list before these. */
  readonly offset: number;
  readonly texts: readonly Buffer[];
}

export interface EntriesSection {
  readonly kind: 'stream';
  readonly key: string;
  /** Of one entry each: id, field, value, … */
  readonly entries: readonly (readonly Buffer[])[];
}

const codes = { string: 1, hash: 2, stream: 3, list: 4 } as const;

/**
 * kind u8 | length of the key's name u8 | name | body u32 bytes | body. All integers are little endian.
 * A body is: offset u32, total u32, bytes; or texts (length u32, bytes); or entries (number of texts u32, texts);
 * or of a list offset u32, texts.
 */
export function encodeSection(section: RunSection): Buffer {
  const name = Buffer.from(section.key);
  const body = bodyOf(section);
  const head = Buffer.alloc(2 + name.length + 4);
  head.writeUInt8(codes[section.kind], 0);
  head.writeUInt8(name.length, 1);
  name.copy(head, 2);
  head.writeUInt32LE(body.length, 2 + name.length);
  return Buffer.concat([head, body]);
}

function bodyOf(section: RunSection): Buffer {
  switch (section.kind) {
    case 'string':
      return Buffer.concat([uint32(section.offset), uint32(section.total), section.bytes]);
    case 'hash':
      return Buffer.concat(section.texts.flatMap(lengthAndText));
    case 'list':
      return Buffer.concat([uint32(section.offset), ...section.texts.flatMap(lengthAndText)]);
    default:
      return Buffer.concat(
        section.entries.flatMap((texts) => [uint32(texts.length), ...texts.flatMap(lengthAndText)]),
      );
  }
}

function lengthAndText(text: Buffer): readonly Buffer[] {
  return [uint32(text.length), text];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The sections of a part. Throws where it is cut off. */
export function* decodeSections(part: Buffer): Generator<RunSection> {
  let at = 0;
  while (at < part.length) {
    const code = part.readUInt8(at);
    const nameEnd = at + 2 + part.readUInt8(at + 1);
    const key = part.toString('utf8', at + 2, nameEnd);
    const bodyEnd = nameEnd + 4 + part.readUInt32LE(nameEnd);
    if (bodyEnd > part.length) throw new Error('a part of an archived run is cut off');
    yield decodeBody(code, key, part.subarray(nameEnd + 4, bodyEnd));
    at = bodyEnd;
  }
}

function decodeBody(code: number, key: string, body: Buffer): RunSection {
  switch (code) {
    case codes.string: {
      const [offset, total] = [body.readUInt32LE(0), body.readUInt32LE(4)];
      return { kind: 'string', key, offset, total, bytes: body.subarray(8) };
    }
    case codes.hash:
      return { kind: 'hash', key, texts: readTexts(body, 0, Number.POSITIVE_INFINITY).texts };
    case codes.list: {
      const { texts } = readTexts(body, 4, Number.POSITIVE_INFINITY);
      return { kind: 'list', key, offset: body.readUInt32LE(0), texts };
    }
    case codes.stream:
      return { kind: 'stream', key, entries: readEntries(body) };
    default:
      throw new Error(`an archived run has a section of kind ${code}: a newer version wrote it`);
  }
}

function readEntries(body: Buffer): readonly (readonly Buffer[])[] {
  const entries: (readonly Buffer[])[] = [];
  let at = 0;
  while (at < body.length) {
    const { texts, end } = readTexts(body, at + 4, body.readUInt32LE(at));
    entries.push(texts);
    at = end;
  }
  return entries;
}

function readTexts(
  body: Buffer,
  from: number,
  most: number,
): { readonly texts: readonly Buffer[]; readonly end: number } {
  const texts: Buffer[] = [];
  let at = from;
  while (at < body.length && texts.length < most) {
    const end = at + 4 + body.readUInt32LE(at);
    texts.push(body.subarray(at + 4, end));
    at = end;
  }
  return { texts, end: at };
}

export function unknownKey(key: string): Error {
  return new Error(`an archived run has a key ${key}: a newer version wrote it`);
}
