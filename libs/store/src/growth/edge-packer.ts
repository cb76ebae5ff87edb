import { bytesOf } from '../packed.ts';

/** Offsets from where the run's own edges end, and edges. */
export class EdgePacker {
  readonly #offsets: Uint32Array;
  readonly #base: number;
  #edges = new Uint32Array(1_024);
  #count = 0;
  #start = 0;
  #node: number;

  constructor(padding: number, nodeCount: number, base: number) {
    this.#offsets = new Uint32Array(padding + nodeCount).fill(base);
    this.#base = base;
    this.#node = padding;
  }

  addAll(edges: readonly number[]): void {
    this.#reserve(edges.length);
    this.#edges.set(edges, this.#count);
    this.#count += edges.length;
  }

  addShifted(edges: Uint32Array, [from, to]: readonly [number, number], by: number): void {
    this.#reserve(to - from);
    for (let at = from; at < to; at++) this.#edges[this.#count++] = (edges[at] ?? 0) + by;
  }

  /** Returns how many edges the node has. */
  endNode(): number {
    const count = this.#count - this.#start;
    this.#start = this.#count;
    this.#offsets[this.#node++] = this.#base + this.#count;
    return count;
  }

  offsets(): Buffer {
    return bytesOf(this.#offsets);
  }

  edges(): Buffer {
    return bytesOf(this.#edges.subarray(0, this.#count));
  }

  #reserve(count: number): void {
    if (this.#count + count <= this.#edges.length) return;
    const larger = new Uint32Array(Math.max(this.#edges.length * 2, this.#count + count));
    larger.set(this.#edges);
    this.#edges = larger;
  }
}
