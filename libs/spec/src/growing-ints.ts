/** A list of unsigned 32-bit numbers that grows: 4 bytes each, no objects. */
export class GrowingInts {
  #array: Uint32Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 1024) {
    this.#array = new Uint32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#array.length) {
      const larger = new Uint32Array(this.#array.length * 2);
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[this.#length++] = value;
  }

  pushPair(first: number, second: number): void {
    this.push(first);
    this.push(second);
  }

  at(index: number): number {
    return this.#array[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.#array[index] = value;
  }

  /** What is there, without a copy: to be asked for again after a push. */
  view(): Uint32Array<ArrayBuffer> {
    return this.#array.subarray(0, this.#length);
  }
}

/**
 * A list of numbers that mostly are their own places, plus a constant: only from the first that is
 * not, anything is kept.
 */
export class MostlyPlaces {
  readonly #offset: number;
  readonly #kept = new GrowingInts(16);
  #length = 0;
  #from = -1;

  constructor(offset: number) {
    this.#offset = offset;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#from === -1 && value !== this.#length + this.#offset) this.#from = this.#length;
    if (this.#from !== -1) this.#kept.push(value);
    this.#length++;
  }

  at(place: number): number {
    const isKept = this.#from !== -1 && place >= this.#from;
    return isKept ? this.#kept.at(place - this.#from) : place + this.#offset;
  }
}
