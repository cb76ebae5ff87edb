import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Group, Json, TaskPayload } from '@runnel/core';
import { z } from 'zod';

/** Payloads are compressed in chunks of so many tasks: large enough to compress, small to read one. */
export const payloadChunk = 256;
export const groupChunk = 64;

/** A group as it is stored: with the number of its nodes. */
export interface StoredGroup extends Group {
  readonly total: number;
}

/** Compresses payloads; null where nothing differs, which needs no key. */
export function encodePayloads(payloads: readonly TaskPayload[]): Buffer | null {
  if (payloads.every((one) => one.values.length === 0 && one.id === undefined && !hasDetails(one)))
    return null;
  const rows = payloads.map((one) => {
    if (one.id === undefined && !hasDetails(one)) return one.values;
    return { v: one.values, i: one.id, d: one.details };
  });
  return pack(rows);
}

/** What one chunk of payloads takes in Redis. */
export function payloadBytes(payloads: readonly TaskPayload[]): number {
  return encodePayloads(payloads)?.length ?? 0;
}

export function decodePayloads(raw: Buffer | null): readonly TaskPayload[] {
  if (raw === null) return [];
  return payloadRows.parse(unpack(raw)).map(toPayload);
}

export function encodeGroups(groups: readonly StoredGroup[]): Buffer {
  return pack(groups);
}

export function decodeGroups(raw: Buffer): readonly StoredGroup[] {
  return storedGroups.parse(unpack(raw));
}

/** The text of a spec as it was submitted, deflated. */
export interface SpecRecord {
  /** Lines: the spec without its tasks, then a task each. */
  readonly format: 'json' | 'ndjson';
  /** In pieces: one deflated stream, cut anywhere. */
  readonly deflated: readonly Buffer[];
}

export function encodeSpec(spec: unknown): SpecRecord {
  return { format: 'json', deflated: [pack(spec)] };
}

function hasDetails(payload: TaskPayload): boolean {
  return payload.details !== undefined;
}

function pack(value: unknown): Buffer {
  return deflateRawSync(JSON.stringify(value), { level: 3 });
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

const storedGroups: z.ZodType<readonly StoredGroup[]> = z.array(
  z.object({
    class: z.string(),
    kind: z.enum(['task', 'barrier']),
    executor: z.string(),
    pool: z.string(),
    priority: z.number(),
    timeoutMs: z.number().nullable(),
    retries: z.object({
      limit: z.number(),
      backoffMs: z.number(),
      factor: z.number(),
      maxDelayMs: z.number(),
      onExitCodes: z.array(z.number()).nullable(),
    }),
    successExitCodes: z.array(z.number()),
    allowFailure: z.boolean(),
    resources: z.record(z.string(), z.number()),
    axes: z.array(z.string()),
    templated: z.boolean(),
    details: json,
    inputs: z.array(z.object({ class: z.string(), single: z.boolean() })),
    readsOutputs: z.boolean(),
    total: z.number(),
  }),
);
