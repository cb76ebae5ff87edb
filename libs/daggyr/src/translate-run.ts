import type { Issue, Steps } from '@runnel/core';
import { Edges } from './edges.ts';
import { type Expander, expandEntry } from './expand-entry.ts';
import { Instances } from './instances.ts';
import { ListNames, MapNames } from './name-table.ts';
import type { NativeEntry, NativeHead } from './native-entry.ts';
import { Notes, type Path } from './notes.ts';
import { type ExpansionLimits, type PlannedEntry, planEntries } from './plan-entries.ts';
import { readRun, type SourceRun } from './read-run.ts';
import { toSourcePath } from './source-path.ts';

export interface TranslateOptions {
  /** The pools that runs may name. */
  readonly pools: readonly string[];
  readonly limits: ExpansionLimits;
}

/** A run of DaggyR as a spec of Runnel's, whose tasks are made one after the other. */
export interface Translation {
  readonly head: NativeHead;
  /** What is accepted, but ignored or meant otherwise. */
  readonly warnings: readonly Issue[];
  entries(): Generator<NativeEntry>;
  /** The place in DaggyR's document that a place in the spec came from. */
  toSourcePath(path: Path): Path;
}

/**
 * Reads a run of either dialect of DaggyR.
 *
 * @throws SpecError with every mistake, by its place in the document.
 */
export function* translateRun(document: unknown, options: TranslateOptions): Steps<Translation> {
  const notes = new Notes();
  const run = yield* readRun(document, notes);
  const entries = run === null ? [] : yield* planEntries(run, options.limits, notes);
  const expander = prepare(run, entries, notes);
  const defaults = poolOf(run, options, notes);
  notes.throwIfAny();
  return {
    head: { tags: run?.tags ?? {}, defaults: { templated: false, ...defaults } },
    warnings: notes.warnings,
    *entries() {
      for (const entry of entries) yield* expandEntry(expander, entry);
    },
    toSourcePath: (path) => toSourcePath(entries, path),
  };
}

function prepare(run: SourceRun | null, entries: readonly PlannedEntry[], notes: Notes): Expander {
  const instances = run?.dialect === 'list' ? new Instances(entries, notes) : null;
  const names = instances === null ? new MapNames(entries) : new ListNames(entries, instances);
  return { names, edges: new Edges(entries, names), instances };
}

function poolOf(
  run: SourceRun | null,
  { pools }: TranslateOptions,
  notes: Notes,
): { readonly pool?: string } {
  const pool = run?.pool ?? null;
  if (pool === null) return {};
  if (pools.includes(pool)) return { pool };
  notes.warn(
    ['pool'],
    `no pool is named ${JSON.stringify(pool)}: the tasks go to the pool "default"; make it known with RUNNEL_KNOWN_POOLS, and have workers serve it with RUNNEL_POOLS; known are ${pools.join(', ')}`,
  );
  return {};
}
