import { finishSteps, formatPath, type Issue, SpecError } from '@runnel/core';
import type { NativeEntry } from './native-entry.ts';
import { type Translation, translateRun } from './translate-run.ts';

export const options = {
  pools: ['default', 'gpu'],
  limits: { maxTasks: 2_000_000, maxProduct: 2_000_000 },
};

export function translate(document: unknown): Translation {
  return finishSteps(translateRun(document, options));
}

export function entriesOf(document: unknown): readonly NativeEntry[] {
  return [...translate(document).entries()];
}

/** `tasks.a: message`, one a mistake. */
export function issuesOf(document: unknown): readonly string[] {
  try {
    translate(document);
  } catch (error: unknown) {
    if (error instanceof SpecError) return error.issues.map(describe);
    throw error;
  }
  return [];
}

export function warningsOf(document: unknown): readonly string[] {
  return translate(document).warnings.map(describe);
}

function describe({ path, message }: Issue): string {
  return `${formatPath(path)}: ${message}`;
}

/** A task that only echoes. */
export function echo(...words: readonly string[]) {
  return { details: { command: ['echo', ...words] } };
}
