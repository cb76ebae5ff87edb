/** Messages that are under way at once, in all and to one host. */
export interface SlotLimits {
  readonly total: number;
  readonly perHost: number;
}

/** More are not remembered: they are looked at again by their time. */
const mostWaiting = 10_000;

/**
 * Keeps a host that answers slowly, or not at all, from taking the turns of others. Runs that found no slot wait in
 * line, those of each host by themselves.
 */
export class HostSlots {
  readonly #limits: SlotLimits;
  readonly #taken = new Map<string, number>();
  /** Runs by the host that they wait for, first come first. */
  readonly #waiting = new Map<string, Set<string>>();
  #total = 0;
  #waitingCount = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#total;
  }

  /** False where there is none: then the run is in line. */
  take(host: string, runId: string): boolean {
    if (!this.#hasRoom(host)) {
      this.#putInLine(host, runId);
      return false;
    }
    this.#taken.set(host, (this.#taken.get(host) ?? 0) + 1);
    this.#total++;
    return true;
  }

  /** Gives a slot back; the first run in line that may have it. */
  give(host: string): string | null {
    const own = this.#taken.get(host) ?? 0;
    if (own <= 1) this.#taken.delete(host);
    else this.#taken.set(host, own - 1);
    this.#total--;
    return this.next(host);
  }

  /** The next run in line that may have a slot, those that wait for this host first. */
  next(host: string): string | null {
    return this.#takeFromLine(host) ?? this.#takeFromAnyLine();
  }

  #hasRoom(host: string): boolean {
    const { total, perHost } = this.#limits;
    return this.#total < total && (this.#taken.get(host) ?? 0) < perHost;
  }

  #putInLine(host: string, runId: string): void {
    const line = this.#waiting.get(host) ?? new Set();
    if (line.has(runId) || this.#waitingCount >= mostWaiting) return;
    this.#waiting.set(host, line.add(runId));
    this.#waitingCount++;
  }

  #takeFromLine(host: string): string | null {
    const line = this.#waiting.get(host);
    const [first] = line ?? [];
    if (line === undefined || first === undefined || !this.#hasRoom(host)) return null;
    line.delete(first);
    this.#waitingCount--;
    if (line.size === 0) this.#waiting.delete(host);
    return first;
  }

  #takeFromAnyLine(): string | null {
    for (const host of this.#waiting.keys()) {
      const found = this.#takeFromLine(host);
      if (found !== null) return found;
    }
    return null;
  }
}
