/** Events by time, on typed arrays: a binary heap that grows. Of equal times the first one pushed comes first. */
export class EventQueue {
  #times = new Float64Array(1_024);
  #orders = new Float64Array(1_024);
  #values = new Uint32Array(1_024);
  #count = 0;
  #pushed = 0;

  get length(): number {
    return this.#count;
  }

  /** The time of the next event. */
  get time(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? 0);
  }

  push(time: number, value: number): void {
    if (this.#count === this.#times.length) this.#grow();
    let at = this.#count++;
    const order = this.#pushed++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(time, order, above)) break;
      this.#move(above, at);
      at = above;
    }
    this.#put(at, time, order, value);
  }

  /** The value of the next event, which is there no more. */
  pop(): number {
    const first = this.#values[0] ?? 0;
    const last = --this.#count;
    const time = this.#times[last] ?? 0;
    const order = this.#orders[last] ?? 0;
    const value = this.#values[last] ?? 0;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= last) break;
      if (below + 1 < last && this.#isOrdered(below + 1, below)) below++;
      if (this.#isBefore(time, order, below)) break;
      this.#move(below, at);
      at = below;
    }
    this.#put(at, time, order, value);
    return first;
  }

  #isBefore(time: number, order: number, at: number): boolean {
    const other = this.#times[at] ?? 0;
    return time < other || (time === other && order < (this.#orders[at] ?? 0));
  }

  #isOrdered(one: number, other: number): boolean {
    return this.#isBefore(this.#times[one] ?? 0, this.#orders[one] ?? 0, other);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] ?? 0, this.#orders[from] ?? 0, this.#values[from] ?? 0);
  }

  #put(at: number, time: number, order: number, value: number): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#values[at] = value;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const [times, orders, values] = [this.#times, this.#orders, this.#values];
    this.#times = new Float64Array(size);
    this.#orders = new Float64Array(size);
    this.#values = new Uint32Array(size);
    this.#times.set(times);
    this.#orders.set(orders);
    this.#values.set(values);
  }
}
