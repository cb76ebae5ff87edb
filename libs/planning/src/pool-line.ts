/** How a queue's slots were used. */
export interface PoolUse {
  readonly queue: string;
  readonly slots: number;
  /** The most slots that were busy at once, and the most tasks that waited for one. */
  readonly peakBusy: number;
  readonly peakWaiting: number;
  /** Slots × time that was used, of all there was until the end. */
  readonly utilization: number;
}

/** One queue: its slots, and who waits for them; higher priority first, then who came first. */
export class PoolLine {
  readonly #queue: string;
  readonly #slots: number;
  /** Highest first. */
  readonly #lines: { readonly priority: number; readonly nodes: number[]; at: number }[] = [];
  readonly #startedAt = new Map<number, number>();
  #waiting = 0;
  #peakBusy = 0;
  #peakWaiting = 0;
  #busyMs = 0;

  constructor(queue: string, slots: number) {
    this.#queue = queue;
    this.#slots = slots;
  }

  push(node: number, priority: number): void {
    let line = this.#lines.find((one) => one.priority === priority);
    if (line === undefined) {
      line = { priority, nodes: [], at: 0 };
      this.#lines.push(line);
      this.#lines.sort((one, other) => other.priority - one.priority);
    }
    line.nodes.push(node);
    this.#waiting++;
    const beyond = this.#waiting - (this.#slots - this.#startedAt.size);
    this.#peakWaiting = Math.max(this.#peakWaiting, beyond);
  }

  /** The next one that gets a slot. */
  take(now: number): number | undefined {
    if (this.#waiting === 0 || this.#startedAt.size >= this.#slots) return undefined;
    const line = this.#lines.find(({ nodes, at }) => at < nodes.length);
    const node = line?.nodes[line.at];
    if (line === undefined || node === undefined) return undefined;
    line.at++;
    if (line.at === line.nodes.length) {
      line.nodes.length = 0;
      line.at = 0;
    }
    this.#waiting--;
    this.#startedAt.set(node, now);
    this.#peakBusy = Math.max(this.#peakBusy, this.#startedAt.size);
    return node;
  }

  free(now: number, node: number): void {
    this.#busyMs += now - (this.#startedAt.get(node) ?? now);
    this.#startedAt.delete(node);
  }

  describe(makespanMs: number): PoolUse {
    const whole = this.#slots * makespanMs;
    return {
      queue: this.#queue,
      slots: this.#slots,
      peakBusy: this.#peakBusy,
      peakWaiting: Math.max(0, this.#peakWaiting),
      utilization: whole === 0 ? 0 : this.#busyMs / whole,
    };
  }
}
