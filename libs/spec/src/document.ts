import { SpecError } from '@runnel/core';
import { findUnsafeValue, maxDepth } from './guard.ts';
import type { Path } from './issue-list.ts';
import {
  checkNames,
  issueOfSyntaxError,
  maxScannedLength,
  positionOf,
  scanJson,
} from './json-scan.ts';
import { readYaml } from './yaml-document.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A document's value, and where its parts stand in the text. */
export interface ParsedDocument {
  readonly value: unknown;
  /** Undefined where the path is not in the document, or the document is too large to tell. */
  locate(path: Path): Position | undefined;
}

/**
 * Reads JSON or YAML text.
 *
 * @throws SpecError with code SPEC_UNREADABLE and the position, where it can't be read.
 */
export function parseDocument(text: string, format: 'json' | 'yaml'): ParsedDocument {
  const document = format === 'json' ? readJson(text) : readYaml(text);
  const unsafe = findUnsafeValue(document.value);
  if (unsafe === undefined) return document;
  throw new SpecError([{ ...unsafe, ...document.locate(unsafe.path) }], 'SPEC_UNREADABLE');
}

function readJson(text: string): ParsedDocument {
  const value = parseJson(text);
  if (text.length > maxScannedLength) return { value, locate: () => undefined };
  checkNames(text);
  let offsets: Map<string, number> | undefined;
  return {
    value,
    locate(path) {
      offsets ??= findOffsets(text);
      const offset = offsets.get(JSON.stringify(path));
      return offset === undefined ? undefined : positionOf(text, offset);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error: unknown) {
    throw new SpecError([issueOfSyntaxError(text, error)], 'SPEC_UNREADABLE', { cause: error });
  }
}

/** Of each part the place of its name, or of itself in a list. */
function findOffsets(text: string): Map<string, number> {
  const offsets = new Map<string, number>();
  const note = (path: Path, offset: number): void => {
    if (path.length > maxDepth) return;
    const key = JSON.stringify(path);
    if (!offsets.has(key)) offsets.set(key, offset);
  };
  scanJson(text, { key: note, value: note });
  return offsets;
}
