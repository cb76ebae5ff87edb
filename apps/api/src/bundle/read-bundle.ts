import { createHash } from 'node:crypto';
import type { ArchivePart } from '@runnel/archive';
import { newRunId, unpackParts } from '@runnel/engine';
import { copyRun, type RunSection, readRuns } from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { RequestError } from '../request-error.ts';
import { bundleEnd, bundleHead, bundlePart } from './bundle-lines.ts';
import { asStored, checkRecord } from './check-record.ts';

/** A part has at most about 1 MB and one page of a hash, in base64. */
const mostLineBytes = 33_554_432;
const lineBreak = 10;

export interface Imported {
  readonly id: string;
  /** The id that it had. */
  readonly originalId: string;
}

/**
 * Stores the run of a bundle while it is read: its head first, then its parts; it is there with the last
 * line, all at once, or not at all. Under its own id where that is free.
 *
 * @throws RequestError (400) with the line that is wrong.
 */
export async function readBundle(
  context: ApiContext,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Imported> {
  const lines = new BundleLines(chunks);
  const first = await lines.next();
  if (first === null) throw wrong(1, 'the bundle is empty');
  const head = parseLine(bundleHead, first, 1);
  checkRecord(head.record);
  const originalId = head.run.id;
  let id = (await isTaken(context, originalId)) ? newRunId(context.clock.now()) : originalId;
  // Of two who bring it at once one comes first; nothing of the lines was read so far.
  while (!(await store(context, { id, record: head.record, lines }))) {
    id = newRunId(context.clock.now());
  }
  await context.runs.keep(id);
  return { id, originalId };
}

async function isTaken({ redis, settings, runs }: ApiContext, id: string): Promise<boolean> {
  const [live] = await readRuns(redis, settings.namespace, [id]);
  return live !== undefined || (await runs.find(id)) !== null;
}

/** False where the id is taken. */
async function store(
  { redis, settings, clock }: ApiContext,
  request: {
    readonly id: string;
    readonly record: Readonly<Record<string, string>>;
    readonly lines: BundleLines;
  },
): Promise<boolean> {
  const { id, record, lines } = request;
  const now = clock.now();
  return await copyRun(redis, settings.namespace, {
    ...{ id, record: asStored(record, id), now, expiresAt: now + keptMs },
    sections: readSections(lines),
  });
}

/** It is kept right after it was opened; who dies in between leaves a copy that goes by itself. */
const keptMs = 60_000;

/** What is in the parts. Throws RequestError where that can't be read. */
async function* readSections(lines: BundleLines): AsyncGenerator<RunSection, void, undefined> {
  try {
    yield* unpackParts(readParts(lines));
  } catch (error: unknown) {
    if (error instanceof RequestError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw wrong(lines.count, `the part can't be read: ${why}`, error);
  }
}

/** The parts of a bundle; the lines of its tasks are passed over. Throws where it is not whole. */
async function* readParts(lines: BundleLines): AsyncGenerator<ArchivePart, void, undefined> {
  let parts = 0;
  for (;;) {
    const sha256 = lines.digest();
    const line = await lines.next();
    if (line === null)
      throw wrong(lines.count + 1, 'the bundle is cut off: its last line is missing');
    if (line.startsWith('{"task":')) continue;
    if (!line.startsWith('{"end":')) {
      const { part, data } = parseLine(bundlePart, line, lines.count);
      if (part !== parts) throw wrong(lines.count, `part ${parts} should come here, not ${part}`);
      parts++;
      yield { number: part, bytes: Buffer.from(data, 'base64') };
      continue;
    }
    const { end } = parseLine(bundleEnd, line, lines.count);
    if (end.parts !== parts || end.sha256 !== sha256) {
      throw wrong(lines.count, 'the bundle is not as it was written: its checksum is another one');
    }
    return;
  }
}

/** Lines of a body as they come: no more than one is held. */
class BundleLines {
  count = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #hash = createHash('sha256');
  #open: Buffer[] = [];
  #bytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Of the lines so far, with their line breaks. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** The next line; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const bytes = this.#rest;
      const at = bytes.indexOf(lineBreak);
      if (at >= 0) {
        this.#take(bytes.subarray(0, at + 1));
        this.#rest = bytes.subarray(at + 1);
        return this.#close();
      }
      this.#take(bytes);
      this.#rest = Buffer.alloc(0);
      const more = await this.#chunks.next();
      if (more.done === true) return this.#bytes === 0 ? null : this.#close();
      this.#rest = Buffer.from(more.value);
    }
  }

  #take(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > mostLineBytes) throw wrong(this.count + 1, 'the line is too long');
    if (piece.length > 0) this.#open.push(piece);
  }

  #close(): string {
    const line = Buffer.concat(this.#open);
    this.#hash.update(line);
    this.#open = [];
    this.#bytes = 0;
    this.count++;
    return line.toString();
  }
}

function parseLine<T>(schema: { parse(value: unknown): T }, line: string, number: number): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (error: unknown) {
    throw wrong(number, 'this is no line of a bundle', error);
  }
}

function wrong(line: number, text: string, cause?: unknown): RequestError {
  return new RequestError(400, `line ${line}: ${text}; nothing was stored`, {
    code: 'BUNDLE_INVALID',
    cause,
  });
}
