import { type On, ons, type RunIf } from '@runnel/core';
import type { RawRef } from './entry-fields.ts';
import { GrowingInts, MostlyPlaces } from './growing-ints.ts';
import type { Policy } from './kinds/kind.ts';
import { NameTable } from './name-table.ts';
import type { TemplateNames } from './template-names.ts';

/** A class of single tasks. Without tasks, somebody has named it and nobody has it. */
export interface SingleClass {
  readonly name: string;
  readonly number: number;
  taskCount: number;
  /** False where all of it is barriers: these have no outputs. */
  hasTasks: boolean;
  firstNode: number;
}

/** What single tasks have in common with many others. */
export interface Shape {
  readonly class: SingleClass;
  readonly policy: Policy;
  readonly runIf: RunIf;
  /** Null where nothing is read. */
  readonly reads: TemplateNames | null;
  /** Equal where groups are equal but for what reaches them. */
  readonly kin: number;
  readonly number: number;
}

export interface NewTask {
  readonly shape: Shape;
  /** Its place in `tasks`. */
  readonly key: number;
  /** The number of its id: its own, or its class. */
  readonly name: number;
  readonly parents: readonly number[];
  readonly children: readonly number[];
}

/** A reference in 32 bits: `on`, the form, and the number of a name or of a class. */
export const refForms = ['id', 'class', 'class-object'] as const;
export type RefForm = (typeof refForms)[number];
const numberBits = 28;
const numberMask = 2 ** numberBits - 1;

/**
 * Tasks without parameters, a million of them: numbers in typed arrays, ids in one block of bytes.
 * Their details stand in their texts alone. Tasks are numbered in the order in which they come.
 */
export class SingleTasks {
  readonly names = new NameTable();
  readonly classes: SingleClass[] = [];
  readonly shapes: Shape[] = [];
  /** References to children: who wrote them, at which position, what. */
  readonly childRefs = {
    writers: new GrowingInts(16),
    positions: new GrowingInts(16),
    refs: new GrowingInts(16),
  };
  /** Classes and ids of entries that are wrong themselves. */
  readonly brokenNames = new Set<unknown>();
  readonly #classesByName = new Map<string, SingleClass>();
  readonly #shapeOf = new GrowingInts();
  readonly #keys = new MostlyPlaces(0);
  readonly #nameOf = new MostlyPlaces(0);
  /** By name: the task that has it as its id, and one more. */
  readonly #nodeOf = new GrowingInts();
  readonly #refs = new GrowingInts();
  readonly #refStarts = new GrowingInts();

  constructor() {
    this.#refStarts.push(0);
  }

  get count(): number {
    return this.#shapeOf.length;
  }

  get refCount(): number {
    return this.#refs.length + this.childRefs.refs.length;
  }

  /** Takes a task whose id no other has: `nodeOfName` says so. */
  add(task: NewTask): void {
    const node = this.count;
    const { shape, name } = task;
    this.#shapeOf.push(shape.number);
    this.#keys.push(task.key);
    this.#nameOf.push(name);
    this.#nodeOf.set(name, node + 1);
    for (const ref of task.parents) this.#refs.push(ref);
    this.#refStarts.push(this.#refs.length);
    for (const [position, ref] of task.children.entries()) this.#addChild(node, position, ref);
    if (shape.class.taskCount === 0) shape.class.firstNode = node;
    shape.class.taskCount++;
    shape.class.hasTasks ||= shape.policy.kind === 'task';
  }

  #addChild(node: number, position: number, ref: number): void {
    this.childRefs.writers.push(node);
    this.childRefs.positions.push(position);
    this.childRefs.refs.push(ref);
  }

  /** The number of an id, known or not. */
  nameOf(id: string): number {
    return this.#withNode(this.names.intern(id));
  }

  /** As `nameOf`, of an id of ASCII that stands in a text. */
  nameIn(bytes: Uint8Array, start: number, end: number): number {
    return this.#withNode(this.names.internBytes(bytes, start, end));
  }

  #withNode(name: number): number {
    if (name === this.#nodeOf.length) this.#nodeOf.push(0);
    return name;
  }

  classOf(name: string): SingleClass {
    const known = this.#classesByName.get(name);
    if (known !== undefined) return known;
    const added = {
      name,
      number: this.classes.length,
      taskCount: 0,
      hasTasks: false,
      firstNode: 0,
    };
    this.#classesByName.set(name, added);
    this.classes.push(added);
    return added;
  }

  hasClass(name: string): boolean {
    return (this.#classesByName.get(name)?.taskCount ?? 0) > 0;
  }

  /** Of a number of `nameOf`: the task, or -1. */
  nodeOfName(name: number): number {
    return this.#nodeOf.at(name) - 1;
  }

  /** -1 where no task has the id. */
  nodeOfId(id: string): number {
    const name = this.names.find(id);
    return name === -1 ? -1 : this.nodeOfName(name);
  }

  idOf(node: number): string {
    return this.names.text(this.#nameOf.at(node));
  }

  /** An id of its own: not that of its class. */
  ownIdOf(node: number): string | undefined {
    const id = this.idOf(node);
    return id === this.shapeOf(node).class.name ? undefined : id;
  }

  keyOf(node: number): number {
    return this.#keys.at(node);
  }

  shapeOf(node: number): Shape {
    const shape = this.shapes[this.#shapeOf.at(node)];
    if (shape === undefined) throw new Error(`task ${node} has no shape`);
    return shape;
  }

  refStarts(): Uint32Array<ArrayBuffer> {
    return this.#refStarts.view();
  }

  refs(): Uint32Array<ArrayBuffer> {
    return this.#refs.view();
  }

  /** -1 where it is none of the simple forms. */
  packRef(ref: RawRef): number {
    if (typeof ref === 'string') return pack('class', this.classOf(ref).number, undefined);
    if ('id' in ref) return pack('id', this.nameOf(ref.id), ref.on);
    if (ref.match !== undefined || ref.optional !== undefined) return -1;
    return pack('class-object', this.classOf(ref.class).number, ref.on);
  }
}

/** A reference to one task, by the number of its id, without more. */
export function packId(name: number): number {
  return pack('id', name, undefined);
}

function pack(form: RefForm, number: number, on: On | undefined): number {
  const condition = on === undefined ? 0 : ons.indexOf(on) + 1;
  return ((condition << 30) | (refForms.indexOf(form) << numberBits) | number) >>> 0;
}

export function formOf(ref: number): RefForm {
  return refForms[(ref >>> numberBits) & 3] ?? 'id';
}

export function numberOf(ref: number): number {
  return ref & numberMask;
}

/** Undefined where the reference says nothing about it. */
export function onOf(ref: number): On | undefined {
  return ons[(ref >>> 30) - 1];
}
