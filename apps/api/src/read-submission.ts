import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createDeflateRaw } from 'node:zlib';
import { finishInTurns, isJsonObject, SpecError } from '@runnel/core';
import type { SubmittedSpec } from '@runnel/engine';
import {
  type Expansion,
  expandLargeJson,
  expandSpecInTurns,
  parseDocument,
  SpecLines,
} from '@runnel/spec';
import type { SpecRecord } from '@runnel/store';
import type { Request } from 'express';
import type { ApiContext } from './context.ts';
import { bodyFormat, readBody, readChunks } from './read-body.ts';

/** A spec as it came in a body, expanded. */
export interface ReadSubmission extends Expansion {
  readonly spec: SubmittedSpec;
  readonly priority: number;
}

/** Lines are not held, so a body of them may be so many times larger than any other. */
export const linesFactor = 16;

/** Reads the body of a request and expands it; nothing is stored. */
export async function readSubmission(
  context: ApiContext,
  request: Request,
  source: string | null,
): Promise<ReadSubmission> {
  const format = bodyFormat(request);
  if (format === 'ndjson') return readLines(context, request, source);
  const { maxBodyBytes } = context.settings;
  const limits = { maxBytes: maxBodyBytes, silenceMs: context.bodySilenceMs };
  const text = await readBody(request, limits);
  const isLarge = format === 'json' && text.length > largeLength;
  const large = isLarge ? await readLarge(context, text, source) : null;
  if (large !== null) return large;
  const document = parseDocument(text, format);
  const { value } = document;
  const expansion = await expandSpecInTurns(value, {
    ...expandOptions(context, source),
    locate: (path) => document.locate(path),
  });
  return { ...expansion, spec: { kind: 'document', value }, priority: priorityOf(value) };
}

function expandOptions({ settings, catalog }: ApiContext, source: string | null) {
  return {
    limits: { maxTasks: settings.maxTasks, maxProduct: settings.maxProduct },
    executors: catalog,
    pools: Object.keys(settings.knownPools),
    source,
  };
}

/** From here on JSON is read task by task, where it can be: reading all at once would hold up others. */
const largeLength = 100_000;
/** Up to here, reading it as a whole can say lines and columns. */
const locatedLength = 2_000_000;

/** Null where it has to be read as a whole. */
async function readLarge(
  context: ApiContext,
  text: string,
  source: string | null,
): Promise<ReadSubmission | null> {
  const expanding = finishInTurns(expandLargeJson(text, expandOptions(context, source)));
  const expansion = await expanding.catch((error: unknown) => {
    if (error instanceof SpecError && text.length <= locatedLength) return null;
    throw error;
  });
  if (expansion === null) return null;
  const { head, ...rest } = expansion;
  const keeper = new TextKeeper('json');
  for (const piece of cutText(text)) await keeper.write(Buffer.from(piece));
  return { ...rest, spec: await keeper.end(), priority: head.priority ?? 0 };
}

/** Pieces of a text that cut no character in two. */
function* cutText(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const last = text.charCodeAt(start + pieceBytes - 1);
    const end = start + pieceBytes - (last >= 0xd800 && last < 0xdc00 ? 1 : 0);
    yield text.slice(start, end);
    start = end;
  }
}

/** Takes lines as they come: what is kept of them is the tasks in numbers, and the text deflated. */
async function readLines(
  context: ApiContext,
  request: Request,
  source: string | null,
): Promise<ReadSubmission> {
  const lines = new SpecLines(expandOptions(context, source));
  const text = new TextKeeper('ndjson');
  const maxBytes = context.settings.maxBodyBytes * linesFactor;
  const limits = { maxBytes, silenceMs: context.bodySilenceMs };
  for await (const chunk of readChunks(request, limits)) {
    lines.write(chunk);
    if (lines.isDecided) break;
    await text.write(chunk);
  }
  const expansion = await finishInTurns(lines.end());
  return { ...expansion, spec: await text.end(), priority: lines.head?.priority ?? 0 };
}

/** Of the deflated text: a page of the store. */
const pieceBytes = 262_144;

/** Deflates and hashes a text while it comes, the former beside the event loop. */
class TextKeeper {
  readonly #format: SpecRecord['format'];
  readonly #hash = createHash('sha256');
  readonly #deflate = createDeflateRaw({ level: 1, chunkSize: pieceBytes });
  readonly #parts: Buffer[] = [];

  constructor(format: SpecRecord['format']) {
    this.#format = format;
    this.#deflate.on('data', (part: Buffer) => this.#parts.push(part));
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    if (!this.#deflate.write(chunk)) await once(this.#deflate, 'drain');
  }

  async end(): Promise<SubmittedSpec> {
    const ended = once(this.#deflate, 'end');
    this.#deflate.end();
    await ended;
    const record = { format: this.#format, deflated: this.#parts };
    return { kind: 'text', record, hash: this.#hash.digest('hex').slice(0, 32) };
  }
}

function priorityOf(spec: unknown): number {
  if (!isJsonObject(spec)) return 0;
  const priority = spec['priority'];
  return typeof priority === 'number' ? priority : 0;
}
