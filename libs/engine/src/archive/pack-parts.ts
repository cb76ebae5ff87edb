import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { ArchivePart } from '@runnel/archive';
import { decodeSections, encodeSection, type RunSection } from '@runnel/store';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Sections are gathered up to here: a run of a million tasks is some dozens of parts, a small one is one. */
export const partBytes = 1_048_576;

/** Sections as parts, compressed: no more than one is in memory. */
export async function* packParts(
  sections: AsyncIterable<RunSection>,
): AsyncGenerator<ArchivePart, void, undefined> {
  let gathered: Buffer[] = [];
  let bytes = 0;
  let number = 0;
  const close = async (): Promise<ArchivePart> => {
    const part = { number: number++, bytes: await compress(Buffer.concat(gathered)) };
    gathered = [];
    bytes = 0;
    return part;
  };
  for await (const section of sections) {
    const encoded = encodeSection(section);
    gathered.push(encoded);
    bytes += encoded.length;
    if (bytes >= partBytes) yield await close();
  }
  if (bytes > 0) yield await close();
}

/** The sections of parts, in order. Throws where a part has more than `mostBytes`. */
export async function* unpackParts(
  parts: AsyncIterable<ArchivePart>,
  mostBytes?: number,
): AsyncGenerator<RunSection, void, undefined> {
  const limit = mostBytes === undefined ? {} : { maxOutputLength: mostBytes };
  for await (const { bytes } of parts) yield* decodeSections(await decompress(bytes, limit));
}
