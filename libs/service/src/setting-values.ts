import { resolve } from 'node:path';
import { parseRedisAddress } from '@runnel/core';
import { z } from 'zod';
import { parseDuration, parseSize } from './units.ts';

/** A raw value with the folder that its relative paths start from. */
export interface RawSetting {
  readonly raw: unknown;
  readonly folder: string;
}

/**
 * The zod types of settings. Each reads the text of a flag or variable as well as what a YAML file
 * says (a number, a list, a map).
 */
export const text = (): z.ZodType<string> =>
  setting(({ raw }) => {
    if (typeof raw !== 'string') throw new RangeError('must be text');
    return raw;
  });

export const textMatching = (pattern: RegExp, wanted: string): z.ZodType<string> =>
  setting(({ raw }) => {
    if (typeof raw !== 'string' || !pattern.test(raw)) throw new RangeError(`must be ${wanted}`);
    return raw;
  });

export const optional = <T>(type: z.ZodType<T>): z.ZodType<T | null> =>
  setting((input) => (input.raw === null ? null : type.parse(input)));

export const integer = (min: number, max: number): z.ZodType<number> =>
  setting(({ raw }) => {
    const value = typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  });

export const duration = (): z.ZodType<number> => setting(({ raw }) => parseDuration(String(raw)));

/** Null for `forever`. */
export const durationOrForever = (): z.ZodType<number | null> =>
  setting(({ raw }) => (raw === 'forever' ? null : parseDuration(String(raw))));

export const size = (): z.ZodType<number> => setting(({ raw }) => parseSize(String(raw)));

export const oneOf = <const Words extends readonly string[]>(
  words: Words,
): z.ZodType<Words[number]> =>
  setting(({ raw }) => {
    const found = words.find((word) => word === raw);
    if (found === undefined) throw new RangeError(`must be one of ${words.join(', ')}`);
    return found;
  });

/** In a variable or flag the entries are separated by commas. */
export const list = (): z.ZodType<readonly string[]> => setting(({ raw }) => readList(raw));

export const path = (): z.ZodType<string> =>
  setting(({ raw, folder }) => {
    if (typeof raw !== 'string' || raw === '') throw new RangeError('must be a path');
    return resolve(folder, raw);
  });

/** Files become absolute; the names of packages stay as they are. */
export const moduleList = (): z.ZodType<readonly string[]> =>
  setting(({ raw, folder }) =>
    readList(raw).map((entry) => (isFile(entry) ? resolve(folder, entry) : entry)),
  );

export const url = (protocols: readonly string[], example: string): z.ZodType<string> =>
  setting(({ raw }) => {
    const parsed = typeof raw === 'string' ? URL.parse(raw) : null;
    if (parsed === null || !protocols.includes(parsed.protocol)) {
      throw new RangeError(`must be an address such as ${example}`);
    }
    return String(raw);
  });

/** Kept as text: who connects reads it again. */
export const redisAddress = (): z.ZodType<string> =>
  setting(({ raw }) => {
    parseRedisAddress(String(raw));
    return String(raw);
  });

/** Where ended runs go: nowhere, a file, or a database. */
export const archiveAddress = (): z.ZodType<string> =>
  setting(({ raw }) => {
    const isWord = raw === 'none' || raw === 'sqlite';
    const parsed = typeof raw === 'string' && !isWord ? URL.parse(raw) : null;
    if (isWord || parsed?.protocol === 'postgres:' || parsed?.protocol === 'postgresql:') {
      return String(raw);
    }
    throw new RangeError(
      'must be sqlite, none, or the address of a database such as postgres://user:password@host/database',
    );
  });

/** A pool that runs may name, and how many of its tasks may run at once. */
export interface PoolSetting {
  /** null: as many as its workers have slots. */
  readonly capacity: number | null;
}

/** `{ gpu: { capacity: 4 } }` in a file, `gpu:4,small` in a variable. */
export const poolMap = (): z.ZodType<Readonly<Record<string, PoolSetting>>> =>
  setting(({ raw }) => {
    const entries = isMap(raw)
      ? Object.entries(raw).map(readPoolEntry)
      : readList(raw).map(readPool);
    return Object.fromEntries(entries);
  });

export const poolName = /^[A-Za-z_][\w-]{0,63}$/;

/** A type that is read by `read`, which throws a RangeError for what it can't use. */
export function setting<T>(read: (input: RawSetting) => T): z.ZodType<T> {
  return z.custom<RawSetting>().transform((input, context) => {
    try {
      return read(input);
    } catch (error: unknown) {
      if (!(error instanceof RangeError) && !(error instanceof z.ZodError)) throw error;
      const message = error instanceof z.ZodError ? error.issues[0]?.message : error.message;
      context.addIssue(message ?? 'is wrong');
      return z.NEVER;
    }
  });
}

export function readList(raw: unknown): readonly string[] {
  const entries = typeof raw === 'string' ? raw.split(',').map((entry) => entry.trim()) : raw;
  if (!Array.isArray(entries) || !entries.every((entry) => typeof entry === 'string')) {
    throw new RangeError('must be a list of texts (separated by commas in a variable or flag)');
  }
  return [...new Set(entries.filter((entry) => entry !== ''))];
}

function readPoolEntry([name, raw]: [string, unknown]): [string, PoolSetting] {
  const { capacity = null, ...others } = isMap(raw) ? raw : { unread: raw ?? undefined };
  if (Object.values(others).some((other) => other !== undefined)) {
    throw new RangeError(`${name} must be empty or a map with "capacity"`);
  }
  return poolOf(name, capacity);
}

function readPool(entry: string): [string, PoolSetting] {
  const [name = '', capacity] = entry.split(':', 2);
  return poolOf(name, capacity === undefined ? null : Number(capacity));
}

function poolOf(name: string, capacity: unknown): [string, PoolSetting] {
  if (!poolName.test(name)) {
    throw new RangeError(`"${name}" is no pool name: use letters, digits, "_" and "-"`);
  }
  if (capacity === null) return [name, { capacity }];
  if (typeof capacity !== 'number' || !Number.isInteger(capacity) || capacity < 1) {
    throw new RangeError(`the capacity of ${name} must be a whole number from 1`);
  }
  return [name, { capacity }];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFile(entry: string): boolean {
  return /^\.{0,2}\//.test(entry) || /^[^@].*\.[cm]?[jt]s$/.test(entry);
}
