import { isJsonObject } from '@runnel/core';
import { checkDetails } from './check-details.ts';
import { parseDetails } from './details-store.ts';
import { EntryChecker, type EntryContext } from './entries.ts';
import type { Entry } from './entry.ts';
import { findUnsafeValue } from './guard.ts';
import type { Path } from './issue-list.ts';
import type { RawEntry } from './kinds/kind.ts';
import { describeDoubledId } from './names.ts';
import { readEntry } from './read-entries.ts';
import { LineReader, type TextRange } from './single-line.ts';
import { type QuickEntry, readQuickly } from './single-quick.ts';
import { ShapeTable } from './single-shapes.ts';
import { type NewTask, type Shape, SingleTasks } from './single-tasks.ts';

/** Entries that are spelled alike are checked once; so many, none longer than that, are remembered. */
const maxKnown = 10_000;
const maxKnownLength = 2_000;

export interface SingleContext extends Omit<EntryContext, 'parameters'> {
  /** An entry has a field that goes only with parameters: `parameters`, or `match` in a reference. */
  onExpanding(path: Path): void;
}

const noChildren: readonly number[] = [];

interface Known {
  readonly shape: Shape;
  readonly details: string;
}

/**
 * Reads single tasks one by one. The first of a kind goes through the schema and all checks; one that
 * differs from it only in its id, its parents and constant details goes by a short way.
 */
export class SingleReader {
  readonly tasks = new SingleTasks();
  readonly #context: SingleContext;
  readonly #checker: EntryChecker;
  readonly #executors: ReadonlySet<string>;
  readonly #shapes = new ShapeTable(this.tasks);
  readonly #line = new LineReader(this.tasks);
  /** By the number of the rest of their text, without id and parents. */
  readonly #knownRests: Known[] = [];
  /** By all that entries share, their details included. */
  readonly #known = new Map<string, Known>();
  /** By all that entries share but their details, where these are constant. */
  readonly #constant = new Map<string, Shape>();

  constructor(context: SingleContext) {
    this.#context = context;
    this.#checker = new EntryChecker({ ...context, parameters: { columns: [], table: null } });
    this.#executors = new Set(context.executors.names());
  }

  /** Takes the text of an entry; `parse` is asked for what it says where that is not known. */
  acceptText(key: number, range: TextRange, parse: () => unknown): void {
    const isUsual = this.#line.read(range);
    const known = isUsual ? this.#knownRests[this.#line.findRest()] : undefined;
    if (known !== undefined) {
      const { name, parents } = this.#line;
      const hasId = name !== -1;
      const named = hasId ? name : this.tasks.nameOf(known.shape.class.name);
      this.#add({ key, name: named, parents, children: noChildren, ...known }, hasId);
      return;
    }
    const value = parse();
    if (value === undefined) return;
    const { count } = this.tasks;
    this.accept(key, value);
    const isTaken = this.tasks.count > count;
    if (isUsual && isTaken && range.end - range.start <= maxKnownLength) this.#rememberRest(count);
  }

  #rememberRest(node: number): void {
    if (this.#knownRests.length >= maxKnown) return;
    const { tasks } = this;
    const known = { shape: tasks.shapeOf(node), details: tasks.details.textOf(node) };
    this.#knownRests[this.#line.addRest()] = known;
  }

  /** Takes the entry that stands at `key` in `tasks`; what is wrong with it is noted. */
  accept(key: number, raw: unknown): void {
    const quick = readQuickly(raw, this.tasks);
    const found = quick === null ? undefined : this.#findKnown(quick);
    if (quick === null || found === undefined) {
      this.#acceptSlowly(key, raw, quick);
      return;
    }
    const { id = found.shape.class.name, parents, children } = quick;
    const name = this.tasks.nameOf(id);
    this.#add({ key, name, parents, children, ...found }, quick.id !== undefined);
  }

  #findKnown(quick: QuickEntry): Known | undefined {
    if (quick.details === undefined) return this.#known.get(quick.common);
    const details = JSON.stringify(quick.details);
    const known = this.#known.get(keyOf(quick, details));
    if (known !== undefined) return known;
    const shape = this.#constant.get(quick.common);
    if (shape === undefined || !this.#isPlain(quick.details, details, shape)) return undefined;
    this.#remember(keyOf(quick, details), { shape, details });
    return { shape, details };
  }

  /** Details that need none of the checks of the long way. */
  #isPlain(details: unknown, text: string, { policy }: Shape): boolean {
    if (details === null || text.includes('{{') || text.includes('"secret"')) return false;
    if (findUnsafeValue(details) !== undefined) return false;
    return this.#context.executors.check(policy.executor, parseDetails(text)).length === 0;
  }

  #remember(key: string, known: Known): void {
    if (this.#known.size < maxKnown && key.length <= maxKnownLength) this.#known.set(key, known);
  }

  #acceptSlowly(key: number, raw: unknown, quick: QuickEntry | null): void {
    const { issues } = this.#context;
    const unsafe = findUnsafeValue(raw);
    if (unsafe !== undefined) {
      issues.add(['tasks', key, ...unsafe.path], unsafe.message);
      if (isJsonObject(raw)) this.#reject({ class: raw['class'], id: raw['id'] });
      return;
    }
    readEntry(key, raw, {
      issues,
      sink: {
        reject: (broken) => this.#reject(broken),
        accept: (_, entry, kind) => {
          const before = issues.count;
          this.#refuseExpanding(key, entry);
          const checked = this.#checker.check({ key, raw: entry, kind, isListed: true });
          const whole: Entry = { ...checked, index: key, firstId: this.tasks.count };
          if (issues.count === before) this.#checkDetails(whole);
          if (issues.count === before) this.#addEntry(whole, { key, raw: entry, quick });
          else this.#reject(entry);
        },
      },
    });
  }

  #reject(broken: { readonly class: unknown; readonly id?: unknown }): void {
    this.tasks.brokenNames.add(broken.class);
    this.tasks.brokenNames.add(broken.id);
  }

  #refuseExpanding(key: number, entry: RawEntry): void {
    const { onExpanding, issues } = this.#context;
    if (entry.parameters !== undefined) onExpanding(['tasks', key, 'parameters']);
    for (const side of ['parents', 'children'] as const) {
      for (const [position, ref] of (entry[side] ?? []).entries()) {
        if (typeof ref === 'string' || 'id' in ref) continue;
        const path = ['tasks', key, side, position];
        if (ref.match !== undefined) onExpanding([...path, 'match']);
        else if (ref.optional !== undefined) {
          issues.add([...path, 'optional'], '"optional" goes only with "match"');
        }
      }
    }
  }

  #checkDetails(entry: Entry): void {
    const { head, executors, source, issues } = this.#context;
    const run = { name: head.name ?? null, source };
    checkDetails(entry, { executors, knownExecutors: this.#executors, run, issues });
  }

  #addEntry(
    entry: Entry,
    from: { readonly key: number; readonly raw: RawEntry; readonly quick: QuickEntry | null },
  ): void {
    const { tasks } = this;
    const { key, raw, quick } = from;
    const shape = this.#shapes.shapeOf(entry);
    const details = JSON.stringify(entry.details);
    const parents = entry.parents.map((ref) => tasks.packRef(ref));
    const children = entry.children.map((ref) => tasks.packRef(ref));
    const name = tasks.nameOf(raw.id ?? raw.class);
    this.#add({ key, name, parents, children, shape, details }, raw.id !== undefined);
    if (quick === null) return;
    const hasDetails = quick.details !== undefined;
    this.#remember(hasDetails ? keyOf(quick, details) : quick.common, { shape, details });
    const isConstant = hasDetails && entry.template === null && entry.details !== null;
    if (isConstant && this.#constant.size < maxKnown) this.#constant.set(quick.common, shape);
  }

  #add(task: NewTask, hasId: boolean): void {
    const first = this.tasks.nodeOfName(task.name);
    if (first === -1) {
      this.tasks.add(task);
      return;
    }
    const { key, shape } = task;
    const id = this.tasks.names.text(task.name);
    const isClass = !hasId || id === shape.class.name;
    const firstKey = this.tasks.keyOf(first);
    this.#context.issues.add(['tasks', key, ...(isClass ? [] : ['id'])], () =>
      describeDoubledId(id, { firstKey, isClass }),
    );
  }
}

/** As a key with its details; these are JSON, so no line break of theirs is taken for one of ours. */
function keyOf(quick: QuickEntry, details: string): string {
  return `${quick.common}details=${details}`;
}
