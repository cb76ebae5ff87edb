import { runAs, type TimeOwner, type VirtualTimer } from './virtual-time.ts';

/** One step of a process that others can see: a Redis command, a script, a pipeline, a call of the queue. */
export interface Operation {
  readonly label: string;
  run(): unknown;
  /** False while it would only wait, such as a blocking read of an empty stream. */
  isEnabled?(): boolean;
}

interface Waiting {
  readonly operation: Operation;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export type Role = 'api' | 'worker' | 'listener' | 'user';

/**
 * A process under exploration: the product's own code, stopped before each step until the schedule
 * lets it go on. Steps of one connection keep their order. When it has died nothing of it goes on.
 */
export class Process implements TimeOwner {
  readonly role: Role;
  readonly index: number;
  isDead = false;
  isFrozen = false;
  readonly #clock: { readonly nowMs: number };
  readonly #connections = new Map<string, Waiting[]>();
  readonly #served = new Map<string, number>();
  readonly #timers = new Set<VirtualTimer>();

  constructor(role: Role, index: number, clock: { readonly nowMs: number }) {
    this.role = role;
    this.index = index;
    this.#clock = clock;
  }

  /** Operations done. */
  operations = 0;

  get name(): string {
    return `${this.role}${this.index}`;
  }

  nowMs(): number {
    return this.#clock.nowMs;
  }

  addTimer(timer: VirtualTimer): void {
    if (!this.isDead) this.#timers.add(timer);
  }

  removeTimer(timer: VirtualTimer): void {
    this.#timers.delete(timer);
  }

  timers(): readonly VirtualTimer[] {
    return [...this.#timers];
  }

  /** Starts work of this process; what it throws is its own affair. */
  start(work: () => Promise<void>): void {
    runAs(this, () => void work().catch(() => undefined));
  }

  /** Waits for the schedule, then does the operation. Never resolves once the process is dead. */
  async pass(connection: string, operation: Operation): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      if (this.isDead) return;
      const line = this.#connections.get(connection) ?? [];
      this.#connections.set(connection, line);
      line.push({ operation, resolve, reject });
    });
  }

  die(): void {
    this.isDead = true;
    this.#connections.clear();
    this.#timers.clear();
  }

  /** Connections whose first operation can go on, those first that were not served for longest. */
  ready(): readonly { readonly connection: string; readonly served: number }[] {
    if (this.isFrozen) return [];
    const ready: { connection: string; served: number }[] = [];
    for (const [connection, [first]] of this.#connections) {
      if (first === undefined || first.operation.isEnabled?.() === false) continue;
      ready.push({ connection, served: this.#served.get(connection) ?? 0 });
    }
    return ready;
  }

  /** What the first operation of a connection is. */
  label(connection: string): string {
    return this.#connections.get(connection)?.[0]?.operation.label ?? '';
  }

  /** Does the first operation of a connection; `spoil` loses its answer. */
  async serve(
    connection: string,
    step: number,
    spoil: 'lost' | 'error' | null = null,
  ): Promise<void> {
    const line = this.#connections.get(connection) ?? [];
    const first = line.shift();
    if (first === undefined) return;
    this.#served.set(connection, step);
    this.operations++;
    try {
      const value = await first.operation.run();
      if (spoil === 'error') first.reject(new Error('Connection is closed.'));
      else if (spoil === null) first.resolve(value);
    } catch (error: unknown) {
      if (spoil !== 'lost') first.reject(error);
    }
  }

  /** The connection breaks after so many operations were done: all of them are sent again. */
  async serveUnheard(connection: string, count: number): Promise<void> {
    const line = this.#connections.get(connection) ?? [];
    for (const { operation } of line.slice(0, count)) {
      if (operation.isEnabled?.() === false) return;
      // An error would be that of the second time.
      await Promise.resolve(operation.run()).catch(() => undefined);
    }
  }
}
