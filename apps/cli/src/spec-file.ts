import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import type { SpecDocument } from '@runnel/client';
import { type ParsedDocument, parseDocument } from '@runnel/spec';
import { findFile } from './find-file.ts';
import { isLinesFile, openLinesFile } from './lines-file.ts';
import { isFields, type Overrides, overrideParameters } from './parameter-overrides.ts';
import { toInvalidSpec } from './spec-problems.ts';

/** A spec as it is to be submitted. */
export interface SpecFile {
  /** As the user calls it; `<stdin>` where it was piped in. */
  readonly label: string;
  /** Absolute: what is relative in the spec starts here. */
  readonly folder: string;
  readonly value: unknown;
  readonly locate: ParsedDocument['locate'];
  /** Parameters whose values come from the command line, not from the file. */
  readonly overridden: ReadonlySet<string>;
  /** What to send: the text where nothing was changed. Lines can be read once: it is read again for each use. */
  readonly document: SpecDocument;
  /** Where it is line by line, and never held: `value` is null then. Each call reads it from the start. */
  readonly readLines?: () => AsyncIterable<string>;
}

export interface SpecChanges {
  readonly overrides: Overrides;
  readonly tags: Readonly<Record<string, string>>;
  readonly name?: string | undefined;
}

export interface SpecSource {
  /** A path, or `-` for standard input. */
  readonly path: string;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
}

/** Reads a spec and applies what the command line says. Throws UsageError or InvalidSpecError. */
export async function readSpecFile(source: SpecSource, changes: SpecChanges): Promise<SpecFile> {
  if (isLinesFile(source.path)) return openLinesFile(source, changes);
  const { label, folder, text } = await readText(source);
  const format = formatOf(source.path, text);
  const parsed = parse(label, text, format);
  const value = applyChanges(parsed.value, changes);
  const isUnchanged = value === parsed.value && format === 'json';
  return {
    label,
    folder,
    value,
    locate: (path) => parsed.locate(path),
    overridden: new Set(changes.overrides.keys()),
    document: isUnchanged ? { text, format } : { value },
  };
}

async function readText(source: SpecSource) {
  if (source.path === '-') {
    return { label: '<stdin>', folder: source.cwd, text: await readStream(source.stdin) };
  }
  const path = await findFile(source);
  return { label: source.path, folder: dirname(path), text: await readFile(path, 'utf8') };
}

/** By the name of the file; where that says nothing, JSON begins with a brace. */
function formatOf(path: string, text: string): 'json' | 'yaml' {
  const extension = extname(path).toLowerCase();
  if (extension === '.json') return 'json';
  if (extension === '.yaml' || extension === '.yml') return 'yaml';
  return /^\s*[{[]/.test(text) ? 'json' : 'yaml';
}

function parse(label: string, text: string, format: 'json' | 'yaml'): ParsedDocument {
  try {
    return parseDocument(text, format);
  } catch (error: unknown) {
    throw toInvalidSpec(error, { label, value: null, locate: () => undefined });
  }
}

/** Where the document is no object, its own check says so better. */
function applyChanges(value: unknown, { overrides, tags, name }: SpecChanges): unknown {
  const changed = overrideParameters(value, overrides);
  if (!isFields(changed)) return changed;
  const hasTags = Object.keys(tags).length > 0;
  if (!hasTags && name === undefined) return changed;
  const old = changed['tags'];
  return {
    ...changed,
    ...(name === undefined ? {} : { name }),
    ...(hasTags ? { tags: { ...(isFields(old) ? old : {}), ...tags } } : {}),
  };
}
