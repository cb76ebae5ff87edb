import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Json } from '@runnel/core';
import { GrowingInts } from './growing-ints.ts';

/** Details that many tasks share are kept once; so many different ones, none longer than that. */
const maxShared = 4095;
const maxSharedLength = 2048;
/** Tasks whose details are compressed together. */
const blockSize = 256;

/**
 * The details of a million tasks as text: shared ones once, all others compressed in blocks as they
 * come. They are read back in the order of the tasks.
 */
export class DetailsStore {
  readonly #shared: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** A task's shared text and one more; 0: it has its own. */
  readonly #sharedOf = new GrowingInts();
  readonly #blocks = new Map<number, Buffer>();
  #open: string[] = [];
  #read: { readonly block: number; readonly texts: readonly string[] } | null = null;

  /** The details of the next task. */
  add(text: string): void {
    const node = this.#sharedOf.length;
    if (node % blockSize === 0) this.#closeBlock(node / blockSize - 1);
    const shared = this.#share(text);
    this.#sharedOf.push(shared + 1);
    this.#open.push(shared === -1 ? text : '');
  }

  #share(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (this.#shared.length >= maxShared || text.length > maxSharedLength) return -1;
    this.#numbers.set(text, this.#shared.length);
    return this.#shared.push(text) - 1;
  }

  #closeBlock(block: number): void {
    const texts = this.#open;
    this.#open = [];
    if (!texts.some((text) => text !== '')) return;
    this.#blocks.set(block, deflateRawSync(JSON.stringify(texts), { level: 3 }));
  }

  /** The details of a task as text. */
  textOf(node: number): string {
    const shared = this.#sharedOf.at(node);
    if (shared !== 0) return this.#shared[shared - 1] ?? '';
    return this.#blockOf(Math.floor(node / blockSize))[node % blockSize] ?? '';
  }

  #blockOf(block: number): readonly string[] {
    if (this.#read?.block === block) return this.#read.texts;
    const packed = this.#blocks.get(block);
    const texts = packed === undefined ? this.#open : parseTexts(packed);
    this.#read = { block, texts };
    return texts;
  }
}

function parseTexts(packed: Buffer): readonly string[] {
  // Written above as a list of texts.
  return JSON.parse(inflateRawSync(packed).toString()) as string[];
}

export function parseDetails(text: string): Json {
  // Written by JSON.stringify from details that were checked.
  return JSON.parse(text) as Json;
}
