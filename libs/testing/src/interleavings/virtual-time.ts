import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** A timer that fires when the schedule says so. */
export interface VirtualTimer {
  readonly dueMs: number;
  fire(): void;
}

/** Whose time it is: a process under exploration. */
export interface TimeOwner {
  nowMs(): number;
  addTimer(timer: VirtualTimer): void;
  removeTimer(timer: VirtualTimer): void;
}

const owners = new AsyncLocalStorage<TimeOwner>();

/** Everything that is called from here, however much later, takes its time from the owner. */
export function runAs(owner: TimeOwner, work: () => void): void {
  owners.run(owner, work);
}

/**
 * Puts timers and the clock of this process behind their owners; without an owner all stays as it
 * was. The product's own code is explored, and some of its timers are not passed in.
 */
export function installVirtualTime(): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
  const { now } = Date;
  const sleeps = { setTimeout: timers.setTimeout, setImmediate: timers.setImmediate };
  Object.assign(globalThis, {
    setTimeout: (call: () => void, ms = 0, ...more: unknown[]) =>
      owners.getStore() === undefined
        ? setTimeout(call as (...args: unknown[]) => void, ms, ...more)
        : startTimer(call, ms),
    setInterval: (call: () => void, ms = 0, ...more: unknown[]) =>
      owners.getStore() === undefined
        ? setInterval(call as (...args: unknown[]) => void, ms, ...more)
        : startTimer(call, ms, ms),
    clearInterval: (timer: unknown) => {
      if (timer instanceof Started) timer.stop();
      else clearInterval(timer as NodeJS.Timeout); // as below
    },
    // Where a long computation lets others have a turn: here they have theirs anyway.
    setImmediate: (call: () => void, ...more: unknown[]) =>
      owners.getStore() === undefined
        ? setImmediate(call as (...args: unknown[]) => void, ...more)
        : queueMicrotask(call),
    clearTimeout: (timer: unknown) => {
      if (timer instanceof Started) timer.stop();
      else clearTimeout(timer as NodeJS.Timeout); // what was not started here is the platform's
    },
  });
  Date.now = () => owners.getStore()?.nowMs() ?? now();
  Object.assign(timers, {
    setTimeout: (ms: number, value?: unknown, options?: object) =>
      owners.getStore() === undefined
        ? sleeps.setTimeout(ms, value, options)
        : new Promise<unknown>((resolve) => startTimer(() => resolve(value), ms)),
    setImmediate: (value?: unknown) =>
      owners.getStore() === undefined ? sleeps.setImmediate(value) : Promise.resolve(value),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(globalThis, {
      ...{ setTimeout, clearTimeout, setInterval, clearInterval, setImmediate },
    });
    Date.now = now;
    Object.assign(timers, sleeps);
    syncBuiltinESMExports();
  };
}

class Started implements VirtualTimer {
  dueMs: number;
  readonly #owner: TimeOwner;
  readonly #call: () => void;
  readonly #everyMs: number | null;

  constructor(owner: TimeOwner, call: () => void, ms: number, everyMs: number | null) {
    this.#owner = owner;
    this.#call = call;
    this.#everyMs = everyMs;
    this.dueMs = owner.nowMs() + ms;
    owner.addTimer(this);
  }

  fire(): void {
    if (this.#everyMs === null) this.stop();
    else this.dueMs = this.#owner.nowMs() + this.#everyMs;
    owners.run(this.#owner, this.#call);
  }

  stop(): void {
    this.#owner.removeTimer(this);
  }

  /** As real timers have it. */
  unref(): this {
    return this;
  }
}

function startTimer(call: () => void, ms: number, everyMs: number | null = null): Started {
  const owner = owners.getStore();
  if (owner === undefined) throw new Error('a virtual timer has no owner');
  return new Started(owner, call, ms, everyMs);
}
