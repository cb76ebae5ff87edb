import type { Issue, Json, Steps } from '@runnel/core';
import type { Entry } from './entry.ts';
import { bracesHint, EntryTables } from './entry-table.ts';
import type { IssueList } from './issue-list.ts';
import type { Kind, RawEntry } from './kinds/kind.ts';
import { Policies } from './policies.ts';
import { type BrokenEntry, readEntries } from './read-entries.ts';
import type { Parameters } from './rows.ts';
import type { RunHead } from './schema.ts';
import { singleRow } from './table.ts';
import { type CompiledTemplate, compileTemplate, type TemplateIssue } from './template.ts';
import type { TemplateNames } from './template-names.ts';

/** What executors say about details; the caller brings it, so that spec knows no executor. */
export interface ExecutorCatalog {
  names(): readonly string[];
  /** Paths of the issues are relative to the details. */
  check(executor: string, details: Json, written?: Json): readonly Issue[];
}

/** What entries are compiled with. */
export interface EntryContext {
  readonly head: RunHead;
  /** Undefined where they are wrong: then nothing is said about names of parameters. */
  readonly parameters: Parameters | undefined;
  readonly executors: ExecutorCatalog;
  readonly pools: readonly string[];
  readonly source: string | null;
  readonly maxProduct: number;
  readonly maxTasks: number;
  readonly issues: IssueList;
}

export interface Entries {
  readonly entries: readonly Entry[];
  /** Classes and ids of entries that are wrong themselves. */
  readonly brokenNames: ReadonlySet<unknown>;
  /** Exact up to the limit; beyond it "at least". */
  readonly taskCount: number;
}

/** Reads and checks every entry by itself; what lies between them comes later. */
export function* compileEntries(context: EntryContext): Steps<Entries> {
  const compiler = new EntryCompiler(context);
  yield* readEntries(context.head.tasks, context.issues, compiler);
  return compiler;
}

class EntryCompiler implements Entries {
  readonly entries: Entry[] = [];
  readonly brokenNames = new Set<unknown>();
  readonly #context: EntryContext;
  readonly #checker: EntryChecker;
  taskCount = 0;

  constructor(context: EntryContext) {
    this.#context = context;
    this.#checker = new EntryChecker(context);
  }

  accept(key: number | string, raw: RawEntry, kind: Kind): void {
    // With far too many tasks already, nothing is listed any more.
    const isListed = this.taskCount <= this.#context.maxTasks;
    const checked = this.#checker.check({ key, raw, kind, isListed });
    const entry = { ...checked, index: this.entries.length, firstId: this.taskCount };
    if (!entry.isSound) this.reject({ class: raw.class, id: raw.id });
    this.entries.push(entry);
    this.taskCount += entry.table.count;
  }

  reject(broken: BrokenEntry): void {
    this.brokenNames.add(broken.class);
    this.brokenNames.add(broken.id);
  }
}

/** An entry as it was read, and where. */
export interface ReadEntry {
  readonly key: number | string;
  readonly raw: RawEntry;
  readonly kind: Kind;
  /** False: its combinations are not looked at. */
  readonly isListed: boolean;
}

/** Checks entries by themselves: their rules, their details, their parameters. */
export class EntryChecker {
  readonly #context: EntryContext;
  readonly #policies: Policies;
  readonly #tables: EntryTables;

  constructor(context: EntryContext) {
    const { head, executors, pools, issues, maxProduct } = context;
    this.#context = context;
    this.#policies = new Policies(head, { executors: executors.names(), pools, issues });
    const parameters = context.parameters ?? { columns: [], table: null };
    this.#tables = new EntryTables(parameters, maxProduct);
  }

  /** The entry without its place among the others. */
  check({ key, raw, kind, isListed }: ReadEntry): Omit<Entry, 'index' | 'firstId'> {
    const { issues, parameters } = this.#context;
    const path = ['tasks', key];
    const before = issues.count;
    const { merged, policy } = this.#policies.settle(raw, kind, path);
    const details = policy.kind === 'task' ? (merged.details ?? {}) : null;
    const template = policy.templated ? this.#compile(details, key) : null;
    const table =
      isListed && parameters !== undefined
        ? this.#tables.tableOf(raw, template?.names ?? null, { path, issues })
        : singleRow;
    return {
      key,
      class: raw.class,
      id: raw.id === raw.class ? undefined : raw.id,
      runIf: merged.runIf ?? 'all-succeeded',
      policy,
      details,
      template: template?.isConstant === false ? template : null,
      parents: raw.parents ?? [],
      children: raw.children ?? [],
      table,
      isSound: issues.count === before && parameters !== undefined,
    };
  }

  #compile(details: Json, key: number | string): CompiledTemplate {
    const { issues } = this.#context;
    const found: TemplateIssue[] = [];
    const template = compileTemplate(details, found);
    for (const { path, message } of found) {
      issues.add(['tasks', key, 'details', ...path], `${message}; ${bracesHint}`);
    }
    this.#checkRunNames(template.names, key);
    return template;
  }

  #checkRunNames(names: TemplateNames, key: number | string): void {
    const { head, source, issues } = this.#context;
    if (names.run.size === 0) return;
    const at = (name: string) => ['tasks', key, 'details', ...(names.places.get(name) ?? [])];
    if (names.run.has('source') && source === null) {
      issues.add(
        at('run.source'),
        '{{run.source}} is not known: it is the folder of a spec that the CLI submits from a file system that the workers share',
      );
    }
    if (names.run.has('name') && head.name === undefined) {
      issues.add(at('run.name'), '{{run.name}} is not known: the run has no name');
    }
  }
}
