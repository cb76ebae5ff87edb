import { inflateRawSync } from 'node:zlib';
import {
  type Group,
  generatorDialects,
  type Json,
  readTaskTexts,
  type TaskPayload,
} from '@runnel/core';
import { z } from 'zod';
import { deflateText } from './deflate-text.ts';

export const groupChunk = 64;

/** A group as it is stored: with the number of its nodes. */
export interface StoredGroup extends Group {
  readonly total: number;
}

/** Compresses payloads; null where nothing differs, which needs no key. */
export function encodePayloads(payloads: readonly TaskPayload[]): Buffer | null {
  if (payloads.every((one) => one.values.length === 0 && one.id === undefined && !hasDetails(one)))
    return null;
  return packPayloads(payloads);
}

/** The same, also of payloads that say nothing. */
export function packPayloads(payloads: readonly TaskPayload[]): Buffer {
  const rows = payloads.map((one) => {
    if (one.id === undefined && !hasDetails(one)) return one.values;
    return { v: one.values, i: one.id, d: one.details };
  });
  return pack(rows);
}

/** Rows as above, or the texts of tasks; null: none differs. */
export function decodePayloads(raw: Buffer | null): readonly TaskPayload[] {
  if (raw === null) return [];
  const text = inflateRawSync(raw).toString();
  if (!areRows(text)) return readTaskTexts(text);
  return payloadRows.parse(JSON.parse(text)).map(toPayload);
}

/** Rows are a list; of a task's text the first character is a brace. */
export function areRows(text: string): boolean {
  return text.startsWith('[');
}

/** What is as in most groups is left out: the groups of a small run then need no compression. */
export function encodeGroups(groups: readonly StoredGroup[]): Buffer {
  return pack(groups.map((group) => Object.fromEntries(Object.entries(group).filter(isUnusual))));
}

export function decodeGroups(raw: Buffer): readonly StoredGroup[] {
  return storedGroups.parse(unpack(raw));
}

/** A spec as it is kept. */
export interface SpecRecord {
  /**
   * `document`: as JSON. Else the spec without its tasks, whose texts are the payload: `tasks` of one
   * that came as JSON, `lines` of one that came line by line.
   */
  readonly format: 'document' | 'tasks' | 'lines';
  readonly deflated: Buffer;
}

export function encodeSpec(spec: unknown): SpecRecord {
  return { format: 'document', deflated: pack(spec) };
}

/** Of a spec whose tasks are kept as texts; `head` is the JSON of an object. */
export function encodeHead(format: 'tasks' | 'lines', head: string): SpecRecord {
  return { format, deflated: deflateText(Buffer.from(head)) };
}

function hasDetails(payload: TaskPayload): boolean {
  return payload.details !== undefined;
}

function pack(value: unknown): Buffer {
  return deflateText(Buffer.from(JSON.stringify(value)));
}

function unpack(raw: Buffer): unknown {
  return JSON.parse(inflateRawSync(raw).toString());
}

const json = z.custom<Json>(() => true);

const payloadRows = z.array(
  z.union([
    z.array(json),
    z.object({ v: z.array(json), i: z.string().optional(), d: json.optional() }),
  ]),
);

function toPayload(row: z.infer<typeof payloadRows>[number]): TaskPayload {
  if (Array.isArray(row)) return { values: row };
  return {
    values: row.v,
    ...(row.i === undefined ? {} : { id: row.i }),
    ...(row.d === undefined ? {} : { details: row.d }),
  };
}

const retries = z.object({
  limit: z.number(),
  backoffMs: z.number(),
  factor: z.number(),
  maxDelayMs: z.number(),
  onExitCodes: z.array(z.number()).nullable(),
});

const usualRetries = {
  limit: 0,
  backoffMs: 1_000,
  factor: 2,
  maxDelayMs: 300_000,
  onExitCodes: null,
};

/** What most groups have. */
const usual = {
  kind: z.enum(['task', 'barrier']).default('task'),
  pool: z.string().default('default'),
  priority: z.number().default(0),
  timeoutMs: z.number().nullable().default(null),
  retries: retries.default(usualRetries),
  successExitCodes: z.array(z.number()).default([0]),
  allowFailure: z.boolean().default(false),
  resources: z.record(z.string(), z.number()).default({}),
  version: z.union([z.string(), z.number()]).nullable().default(null),
  axes: z.array(z.string()).default([]),
  templated: z.boolean().default(true),
  inputs: z.array(z.object({ class: z.string(), single: z.boolean() })).default([]),
  readsOutputs: z.boolean().default(false),
};

const usualTexts: ReadonlyMap<string, string> = new Map(
  Object.entries(usual).map(([name, field]) => [name, JSON.stringify(field.parse(undefined))]),
);

function isUnusual([name, value]: readonly [string, unknown]): boolean {
  const text = usualTexts.get(name);
  return text === undefined || text !== JSON.stringify(value);
}

const storedGroups: z.ZodType<readonly StoredGroup[]> = z.array(
  z.object({
    ...usual,
    class: z.string(),
    executor: z.string(),
    details: json,
    total: z.number(),
    generator: z.enum(generatorDialects).exactOptional(),
    scope: z.string().exactOptional(),
  }),
);
