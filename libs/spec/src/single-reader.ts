import { isJsonObject, type Json } from '@runnel/core';
import { checkDetails } from './check-details.ts';
import { EntryChecker, type EntryContext } from './entries.ts';
import type { Entry } from './entry.ts';
import { findUnsafeValue } from './guard.ts';
import type { Path } from './issue-list.ts';
import type { RawEntry } from './kinds/kind.ts';
import { describeDoubledId } from './names.ts';
import type { PieceParser } from './piece-parser.ts';
import { type ByteRange, PlainReader } from './plain-reader.ts';
import { readEntry } from './read-entries.ts';
import { hasBraces, KnownShapes, maxKnown, maxKnownLength } from './single-known.ts';
import { type QuickEntry, readQuickly } from './single-quick.ts';
import { ShapeTable } from './single-shapes.ts';
import { type NewTask, type Shape, SingleTasks } from './single-tasks.ts';

export interface SingleContext extends Omit<EntryContext, 'parameters'> {
  readonly parser: PieceParser;
  /** An entry has a field that goes only with parameters: `parameters`, or `match` in a reference. */
  onExpanding(path: Path): void;
}

const noChildren: readonly number[] = [];

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
  readonly #plain = new PlainReader(this.tasks);
  readonly #knownTexts = new KnownShapes(this.#plain);
  /** By all that entries share, their details included. */
  readonly #known = new Map<string, Shape>();
  /** By all that entries share but their details, where these are constant. */
  readonly #constant = new Map<string, Shape>();
  readonly #isPlainText = (details: string, shape: Shape): boolean =>
    this.#isPlain(details, () => this.#parsePiece(details), shape);

  constructor(context: SingleContext) {
    this.#context = context;
    this.#checker = new EntryChecker({ ...context, parameters: { columns: [], table: null } });
    this.#executors = new Set(context.executors.names());
  }

  /** Takes the text of an entry; `parse` is asked for what it says where that is not known. */
  acceptText(key: number, range: ByteRange, parse: () => unknown): void {
    const isUsual = this.#plain.read(range);
    const shape = isUsual ? this.#knownTexts.find(range, this.#isPlainText) : undefined;
    if (shape !== undefined) {
      const { name, parents } = this.#plain;
      const hasId = name !== -1;
      const named = hasId ? name : this.tasks.nameOf(shape.class.name);
      this.#add({ key, name: named, parents, children: noChildren, shape }, hasId);
      return;
    }
    const value = parse();
    if (value === undefined) return;
    const { count } = this.tasks;
    this.accept(key, value);
    if (isUsual && this.tasks.count > count)
      this.#knownTexts.remember(range, this.tasks.shapeOf(count));
  }

  /** Undefined where something is wrong: who parses all of the task tells what. */
  #parsePiece(text: string): unknown {
    try {
      return this.#context.parser.parse(text);
    } catch {
      return undefined;
    }
  }

  /** Takes the entry that stands at `key` in `tasks`; what is wrong with it is noted. */
  accept(key: number, raw: unknown): void {
    const quick = readQuickly(raw, this.tasks);
    const shape = quick === null ? undefined : this.#findKnown(quick);
    if (quick === null || shape === undefined) {
      this.#acceptSlowly(key, raw, quick);
      return;
    }
    const { id = shape.class.name, parents, children } = quick;
    const name = this.tasks.nameOf(id);
    this.#add({ key, name, parents, children, shape }, quick.id !== undefined);
  }

  #findKnown(quick: QuickEntry): Shape | undefined {
    if (quick.details === undefined) return this.#known.get(quick.common);
    const details = JSON.stringify(quick.details);
    const known = this.#known.get(keyOf(quick, details));
    if (known !== undefined) return known;
    const shape = this.#constant.get(quick.common);
    if (shape === undefined) return undefined;
    if (!this.#isPlain(details, () => quick.details, shape)) return undefined;
    this.#remember(keyOf(quick, details), shape);
    return shape;
  }

  /** Details that need none of the checks of the long way. */
  #isPlain(text: string, parse: () => unknown, { policy }: Shape): boolean {
    if (hasBraces(text) || text.includes('"secret"')) return false;
    const details = parse();
    if (details === null || details === undefined) return false;
    if (findUnsafeValue(details) !== undefined) return false;
    // Parsed from JSON just now, or before.
    return this.#context.executors.check(policy.executor, details as Json).length === 0;
  }

  #remember(key: string, shape: Shape): void {
    if (this.#known.size < maxKnown && key.length <= maxKnownLength) this.#known.set(key, shape);
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
    const parents = entry.parents.map((ref) => tasks.packRef(ref));
    const children = entry.children.map((ref) => tasks.packRef(ref));
    const name = tasks.nameOf(raw.id ?? raw.class);
    this.#add({ key, name, parents, children, shape }, raw.id !== undefined);
    if (quick === null) return;
    const { details } = quick;
    const hasDetails = details !== undefined;
    this.#remember(hasDetails ? keyOf(quick, JSON.stringify(details)) : quick.common, shape);
    const isConstant = hasDetails && details !== null && entry.template === null;
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
