import { type Group, type TaskPayload, taskId } from '@runnel/core';
import { endPrefix } from '@runnel/spec';
import { canonicalJson, type Hash64, hashText } from './hash64.ts';

/** What a node is to an edit. */
export const nodeKinds = {
  task: 0,
  /** A barrier that the user wrote. */
  barrier: 1,
  /** One that was put between two classes: to an edit its children wait for its parents. */
  hidden: 2,
  /** Left of a task that an earlier edit removed. */
  padding: 3,
  /** A barrier between a generator and its children: each revision has its own. */
  end: 4,
  /** A generated task whose set was replaced; some may still run. */
  replaced: 5,
} as const;

/** The class of what is left of removed tasks: no user's class has a colon. */
export const paddingClass = 'removed:';

/** What tells a node from others, and from itself in another revision: two words of a hash each. */
export interface NodeFacts {
  readonly nodeCount: number;
  /** By node. */
  readonly groupOf: Uint32Array;
  readonly kinds: Uint8Array;
  readonly ids: Uint32Array;
  /** Of what it does: class, executor, details. */
  readonly details: Uint32Array;
  readonly values: Uint32Array;
  /** Of what its inputs are called and how they come. */
  readonly inputs: Uint32Array;
  readonly groups: readonly Group[];
}

/** What may stand in details, besides what they say themselves. */
export interface RunNames {
  readonly name: string | null;
  readonly source: string | null;
}

/** Takes the nodes of one revision in the order of their numbers. */
export class NodeReader implements NodeFacts {
  readonly nodeCount: number;
  readonly groupOf: Uint32Array;
  readonly kinds: Uint8Array;
  readonly ids: Uint32Array;
  readonly details: Uint32Array;
  readonly values: Uint32Array;
  readonly inputs: Uint32Array;
  readonly groups: readonly Group[];
  readonly #names: RunNames;
  readonly #texts: (GroupTexts | undefined)[] = [];
  readonly #hash: Hash64 = { low: 0, high: 0 };
  #node = 0;

  constructor(
    structure: {
      readonly nodeCount: number;
      readonly groups: readonly Group[];
      readonly groupRanges: Uint32Array;
    },
    names: RunNames,
  ) {
    const { nodeCount, groups } = structure;
    this.nodeCount = nodeCount;
    this.groups = groups;
    this.groupOf = spreadGroups(structure);
    this.kinds = new Uint8Array(nodeCount);
    this.ids = new Uint32Array(nodeCount * 2);
    this.details = new Uint32Array(nodeCount * 2);
    this.values = new Uint32Array(nodeCount * 2);
    this.inputs = new Uint32Array(nodeCount * 2);
    this.#names = names;
  }

  /** What differs of the next node from the others of its group. */
  add(payload: TaskPayload): void {
    const node = this.#node++;
    const number = this.groupOf[node] ?? 0;
    const group = this.groups[number];
    if (group === undefined) throw new Error(`node ${node} has no group`);
    this.#texts[number] ??= new GroupTexts(group, this.#names);
    const texts = this.#texts[number];
    this.kinds[node] = texts.kind;
    this.#note(this.ids, node, taskId(group, payload));
    if (texts.kind !== nodeKinds.task) return;
    const { details } = payload;
    if (details === undefined) this.#copy(this.details, node, texts.details);
    else this.#note(this.details, node, texts.withDetails(details));
    if (payload.values.length > 0) {
      this.#note(this.values, node, texts.axes + JSON.stringify(payload.values));
    }
    this.#copy(this.inputs, node, texts.inputs);
  }

  #note(into: Uint32Array, node: number, text: string): void {
    hashText(text, this.#hash);
    this.#copy(into, node, this.#hash);
  }

  #copy(into: Uint32Array, node: number, { low, high }: Hash64): void {
    into[node * 2] = low;
    into[node * 2 + 1] = high;
  }
}

/** What all tasks of a group have in common, as it is hashed. */
class GroupTexts {
  readonly kind: number;
  readonly axes: string;
  readonly details: Hash64 = { low: 0, high: 0 };
  readonly inputs: Hash64 = { low: 0, high: 0 };
  readonly #head: string;
  readonly #names: RunNames;
  readonly #isTemplated: boolean;

  constructor(group: Group, names: RunNames) {
    this.kind = kindOf(group);
    this.axes = `${JSON.stringify(group.axes)} `;
    this.#names = names;
    this.#isTemplated = group.templated;
    const { generator = null } = group;
    this.#head = `${JSON.stringify([group.class, group.executor, group.templated, generator])} `;
    hashText(this.withDetails(group.details), this.details);
    const inputs = group.inputs.map(({ class: name, single }) => `${name}${single ? '' : '*'}`);
    hashText(inputs.sort().join(), this.inputs);
  }

  withDetails(details: Group['details']): string {
    const text = this.#head + canonicalJson(details);
    if (!this.#isTemplated || !text.includes('{{')) return text;
    // What is filled in from the run is a part of what the task does.
    const { name, source } = this.#names;
    const filled = [text.includes('run.name') ? name : 0, text.includes('run.source') ? source : 0];
    return `${text} ${JSON.stringify(filled)}`;
  }
}

function kindOf({ kind, class: name }: Group): number {
  if (kind === 'task') return nodeKinds.task;
  if (name === paddingClass) return nodeKinds.padding;
  if (name.startsWith(endPrefix)) return nodeKinds.end;
  return name.includes(':') ? nodeKinds.hidden : nodeKinds.barrier;
}

function spreadGroups(structure: {
  readonly nodeCount: number;
  readonly groupRanges: Uint32Array;
}): Uint32Array {
  const { nodeCount, groupRanges } = structure;
  const groupOf = new Uint32Array(nodeCount);
  for (let at = 0; at < groupRanges.length; at += 2) {
    groupOf.fill(groupRanges[at + 1] ?? 0, groupRanges[at] ?? 0, groupRanges[at + 2] ?? nodeCount);
  }
  return groupOf;
}
