import type { ArchivePart } from '@runnel/archive';
import { newRunId, unpackParts } from '@runnel/engine';
import { checkSection, copyRun, type RunSection, readRuns } from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { RequestError } from '../request-error.ts';
import { bundleEnd, bundleHead, bundleLine, bundlePart } from './bundle-lines.ts';
import { BundleReader, taskStart, wrongLine } from './bundle-reader.ts';
import { asStored, checkRecord } from './check-record.ts';

/** Of one part; what is larger was not written by an export. */
const mostPartBytes = 134_217_728;

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
  const lines = new BundleReader(chunks);
  const first = await lines.next();
  if (first === null) throw wrongLine(1, 'the bundle is empty');
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
  { redis, settings, clock, room }: ApiContext,
  request: {
    readonly id: string;
    readonly record: Readonly<Record<string, string>>;
    readonly lines: BundleReader;
  },
): Promise<boolean> {
  const { id, record, lines } = request;
  const now = clock.now();
  return await copyRun(redis, settings.namespace, {
    ...{ id, record: asStored(record, id), now, expiresAt: now + keptMs },
    sections: readSections(lines, room),
  });
}

/** It is kept right after it was opened; who dies in between leaves a copy that goes by itself. */
const keptMs = 60_000;

/** What is in the parts. Throws RequestError where that can't be read, or Redis has no room for it. */
async function* readSections(
  lines: BundleReader,
  room: ApiContext['room'],
): AsyncGenerator<RunSection, void, undefined> {
  try {
    for await (const section of unpackParts(readParts(lines), mostPartBytes)) {
      // What is announced, if anything, is compressed. A section is small: Redis is asked a few times a second.
      await room.require(0);
      checkSection(section);
      yield section;
    }
  } catch (error: unknown) {
    if (error instanceof RequestError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw wrongLine(lines.count, `the part can't be read: ${why}`, error);
  }
}

/** The parts of a bundle; the lines of its tasks are passed over. Throws where it is not whole. */
async function* readParts(lines: BundleReader): AsyncGenerator<ArchivePart, void, undefined> {
  let parts = 0;
  for (;;) {
    const sha256 = lines.digest();
    const line = await lines.next();
    if (line === null)
      throw wrongLine(lines.count + 1, 'the bundle is cut off: its last line is missing');
    if (line.startsWith(taskStart)) continue;
    if (line.startsWith('{"part":')) {
      const { part, data } = parseLine(bundlePart, line, lines.count);
      if (part !== parts) {
        throw wrongLine(lines.count, `part ${parts} should come here, not ${part}`);
      }
      parts++;
      yield { number: part, bytes: Buffer.from(data, 'base64') };
      continue;
    }
    if (!line.startsWith('{"end":')) {
      // Of a newer version that an older one may read.
      parseLine(bundleLine, line, lines.count);
      continue;
    }
    return await requireWhole(lines, { line, parts, sha256 });
  }
}

/** Throws where the last line does not say what came before it, or is not the last. */
async function requireWhole(
  lines: BundleReader,
  found: { readonly line: string; readonly parts: number; readonly sha256: string },
): Promise<void> {
  const { end } = parseLine(bundleEnd, found.line, lines.count);
  if (end.parts !== found.parts || end.sha256 !== found.sha256) {
    throw wrongLine(
      lines.count,
      'the bundle is not as it was written: its checksum is another one',
    );
  }
  if ((await lines.next()) === null) return;
  throw wrongLine(lines.count, 'there is more behind the end of the bundle: send one at a time');
}

function parseLine<T>(schema: { parse(value: unknown): T }, line: string, number: number): T {
  try {
    return schema.parse(JSON.parse(line));
  } catch (error: unknown) {
    throw wrongLine(number, 'this is no line of a bundle', error);
  }
}
