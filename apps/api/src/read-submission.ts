import { createHash, type Hash } from 'node:crypto';
import { addressRules, isJsonObject, parseAllowedPlaces } from '@runnel/core';
import type { SubmittedSpec } from '@runnel/engine';
import {
  type Expansion,
  expandSpecInTurns,
  type ParsedDocument,
  parseDocument,
  SpecJson,
  SpecLines,
} from '@runnel/spec';
import { encodeHead } from '@runnel/store';
import type { Request } from 'express';
import type { ApiContext } from './context.ts';
import { type BodyFormat, bodyFormat, readBody, readChunks } from './read-body.ts';

/** A spec as it came in a body, expanded. */
export interface ReadSubmission extends Expansion {
  readonly spec: SubmittedSpec;
  readonly priority: number;
}

/** What a spec takes as it is kept, beside its tasks; nothing is known of one that is not a text. */
export function keptBytes(spec: SubmittedSpec): number {
  return spec.kind === 'text' ? spec.record.deflated.length : 0;
}

export interface SubmissionOptions {
  /** The spec's folder. */
  readonly source: string | null;
  /** True where the body is to be told from others: under an idempotency key. */
  readonly isHashed: boolean;
}

/** Lines are not held, so a body of them may be so many times larger than any other. */
export const linesFactor = 16;

/** A body on its way. */
interface Reading {
  readonly context: ApiContext;
  readonly request: Request;
  readonly source: string | null;
  /** Of all that came; null where nobody asks. */
  readonly hash: Hash | null;
}

/** Reads the body of a request and expands it; nothing is stored. */
export async function readSubmission(
  context: ApiContext,
  request: Request,
  { source, isHashed }: SubmissionOptions,
): Promise<ReadSubmission> {
  const format = bodyFormat(request);
  const hash = isHashed ? createHash('sha256') : null;
  const reading = { context, request, source, hash };
  switch (format) {
    case 'ndjson':
      return await readLines(reading);
    case 'json':
      return await readJson(reading);
    default: {
      const text = await readBody(request, limitsOf(reading, format));
      return await expandDocument(reading, parseDocument(text, format));
    }
  }
}

function limitsOf({ context }: Reading, format: BodyFormat) {
  const { settings, bodySilenceMs } = context;
  const factor = format === 'ndjson' ? linesFactor : 1;
  return { maxBytes: settings.maxBodyBytes * factor, silenceMs: bodySilenceMs };
}

/** What any spec is expanded with. */
export function expandOptions({
  context: { settings, catalog },
  source,
}: Pick<Reading, 'context' | 'source'>) {
  const rules = addressRules(parseAllowedPlaces(settings.webhookAllow));
  return {
    limits: settings,
    executors: catalog,
    pools: Object.keys(settings.knownPools),
    source,
    refuseWebhook: (url: string) => rules.refuseUrl(url),
  };
}

async function expandDocument(reading: Reading, document: ParsedDocument): Promise<ReadSubmission> {
  const { value } = document;
  const expansion = await expandSpecInTurns(value, {
    ...expandOptions(reading),
    locate: (path) => document.locate(path),
  });
  return { ...expansion, spec: { kind: 'document', value }, priority: priorityOf(value) };
}

/** Takes lines as they come: what is kept of them is the tasks in numbers, and their texts deflated. */
async function readLines(reading: Reading): Promise<ReadSubmission> {
  const lines = new SpecLines(expandOptions(reading));
  for await (const chunk of readChunks(reading.request, limitsOf(reading, 'ndjson'))) {
    reading.hash?.update(chunk);
    await lines.write(chunk);
    if (lines.isDecided) break;
  }
  const expansion = await lines.end();
  const record = encodeHead('lines', lines.headText);
  const spec = { kind: 'text', record, hash: digest(reading) } as const;
  return { ...expansion, spec, priority: lines.head?.priority ?? 0 };
}

/** The same of large JSON, where it can be read so. */
async function readJson(reading: Reading): Promise<ReadSubmission> {
  const json = new SpecJson(expandOptions(reading));
  for await (const chunk of readChunks(reading.request, limitsOf(reading, 'json'))) {
    reading.hash?.update(chunk);
    await json.write(chunk);
    if (json.isDecided) break;
  }
  const found = await json.end();
  if (found.kind === 'document') return await expandDocument(reading, found.document);
  const record = encodeHead('tasks', found.headText);
  const spec = { kind: 'text', record, hash: digest(reading) } as const;
  return { ...found.expansion, spec, priority: found.head.priority ?? 0 };
}

function digest({ hash }: Reading): string {
  return hash === null ? '' : hash.digest('hex').slice(0, 32);
}

function priorityOf(spec: unknown): number {
  if (!isJsonObject(spec)) return 0;
  const priority = spec['priority'];
  return typeof priority === 'number' ? priority : 0;
}
