import {
  startApi,
  startCancel,
  startChange,
  startChore,
  startEdit,
  startListener,
  startWorker,
  stopWorker,
} from './actors.ts';
import { drawFault, type FaultContext } from './faults.ts';
import { checksOfCancels, checksOfEdits, happenings, unnoticedLosses } from './happenings.ts';
import type { Process, Role } from './process.ts';
import { readHasEnded, readHasShadow } from './read-states.ts';
import type { ModelWorker, World } from './world.ts';

/** A fault at the n-th operation of the case, instead of drawn ones. */
export interface FaultAt {
  readonly operation: number;
  readonly how: 'crash-before' | 'crash-after' | 'resend' | 'error';
}

export interface Order {
  /** So many steps go in turn before the tape begins. */
  readonly skip: number;
  /** Each number chooses a step: which process goes on, what time brings, or which fault strikes. */
  readonly tape: readonly number[];
  /** So many numbers of the tape long nobody reads the stream: its entries wait. */
  readonly deaf: number;
  readonly faultAt?: FaultAt;
  /** After so many operations the user makes the next change; else when all has come to rest. */
  readonly changeAt?: number;
}

/** Long enough for every fault of a tape to be overcome; more means that the run is stuck. */
const mostRounds = 40;
const mostStepsPerRound = 3_000;
/** Timers that are due so soon fire before the next round. */
const nearMs = 1_000;
const mostFaults = 8;

interface Ready {
  readonly process: Process;
  readonly connection: string;
  readonly served: number;
}

/** Lets the processes of a case go on, one step at a time, as an order says; then fairly, to the end. */
export class Schedule implements FaultContext {
  readonly world: World;
  /** Operations done so far. */
  operations = 0;
  readonly #order: Order;
  readonly #restarts: { readonly role: Role; readonly index: number }[] = [];
  #faults = 0;
  #hasCancelled = false;
  #hasHalted = false;
  /** Changes that the user has made. */
  #changes = 0;
  #edits = 0;
  #isPaused = false;
  #rests = 0; // since the run has ended and the last fault struck

  constructor(world: World, order: Order) {
    this.world = world;
    this.#order = order;
    world.kill = (process) => this.kill(process);
  }

  async run(): Promise<void> {
    startApi(this.world);
    for (const index of [0, 1]) startListener(this.world, index);
    for (const index of [0, 1]) startWorker(this.world, index);
    await rest();
    for (let step = 0; step < this.#order.skip; step++) await this.#goOnInTurn();
    for (const [at, number] of this.#order.tape.entries()) {
      await this.#choose(number, at < this.#order.deaf);
    }
    await this.#finish();
  }

  kill(process: Process): void {
    if (process.isDead) return;
    this.world.log.push(`${process.name} dies`);
    process.die();
    if (process.role !== 'user') this.#restarts.push(process);
  }

  stop(worker: ModelWorker): void {
    if (worker.shutdown.signal.aborted) return;
    stopWorker(worker);
    this.#restarts.push(worker.process);
  }

  ready(): readonly Ready[] {
    return this.world
      .live()
      .flatMap((process) => process.ready().map((one) => ({ process, ...one })));
  }

  async serve({ process, connection }: Ready, spoil?: 'lost' | 'error'): Promise<void> {
    this.world.log.push(
      `${process.name}: ${process.label(connection)}${spoil === undefined ? '' : ` (${spoil})`}`,
    );
    this.operations++;
    await process.serve(connection, this.operations, spoil ?? null);
    this.#delaySubmission(process);
  }

  #delaySubmission(process: Process): void {
    const { scene, listeners } = this.world;
    if (process.role !== 'api' || process.operations !== scene.slowSubmission) return;
    this.world.log.push('a minute passes');
    this.world.nowMs += 61_000;
    for (const listener of listeners) startChore(listener, listener.chores.length - 1);
  }

  async #choose(number: number, isDeaf: boolean): Promise<void> {
    const category = number % 16;
    const choice = Math.floor(number / 16);
    if (category < 2 && this.#faults < mostFaults) {
      this.#faults++;
      this.world.log.push(await drawFault(this, choice));
    } else {
      // Timers have a share of their own: what waits for company goes alone then.
      const fires = category < 4 ? this.#fires() : [];
      const happenings = category > 5 || fires.length > 0 ? fires : this.#happenings();
      const happening = happenings[choice % Math.max(1, happenings.length)];
      const ready = this.ready().filter((one) => !isDeaf || one.connection !== 'blocking');
      const chosen = ready[choice % Math.max(1, ready.length)];
      if (happening !== undefined) happening();
      else if (chosen !== undefined) await this.#serveOrSpoil(chosen);
    }
    await rest();
    this.#throwViolation();
  }

  /** The least recently served goes first; false where nobody can go on. */
  async #goOnInTurn(): Promise<boolean> {
    let next: Ready | undefined;
    for (const one of this.ready()) if (next === undefined || one.served < next.served) next = one;
    if (next === undefined) return false;
    await this.#serveOrSpoil(next);
    await rest();
    this.#throwViolation();
    return true;
  }

  async #serveOrSpoil(ready: Ready): Promise<void> {
    const { faultAt } = this.#order;
    if (faultAt === undefined || faultAt.operation !== this.operations)
      return await this.serve(ready);
    this.#rests = 0;
    // Starts and ends of tasks have no answer that could be lost.
    const isOwn = ready.connection.startsWith('batch');
    switch (isOwn && !faultAt.how.startsWith('crash') ? 'none' : faultAt.how) {
      case 'crash-before':
        this.operations++;
        return this.kill(ready.process);
      case 'crash-after':
        await this.serve(ready, 'lost');
        return this.kill(ready.process);
      case 'resend':
        this.operations++;
        return await ready.process.serveUnheard(ready.connection, 1);
      case 'error':
        return await this.serve(ready, 'error');
      default:
        return await this.serve(ready);
    }
  }

  #happenings(): readonly (() => void)[] {
    const { world } = this;
    return [
      ...happenings(world),
      ...this.#restarts.map((_, index) => () => this.#restart(index)),
      ...checksOfCancels(world, this.#hasCancelled),
      ...checksOfEdits(world),
      ...(this.#mayCancel() ? [() => this.#cancel()] : []),
      ...(this.#mayChange() ? [() => this.#change()] : []),
      ...(this.#isPaused ? [() => this.#letGoOn()] : []),
    ];
  }

  #fires(): readonly (() => void)[] {
    return this.world
      .live()
      .filter(({ isFrozen }) => !isFrozen)
      .flatMap((process) => process.timers().map((timer) => () => this.#fire(timer)));
  }

  #mayCancel(): boolean {
    return this.world.scene.isCancelled && this.world.isAcknowledged && !this.#hasHalted;
  }

  #cancel(): void {
    this.world.log.push('the user cancels');
    this.#hasCancelled = true;
    this.#hasHalted = true;
    startCancel(this.world);
  }

  #mayChange(): boolean {
    return this.world.isAcknowledged && this.#changes < this.world.scene.changes.length;
  }

  #changeInTime(): void {
    const { changeAt = Number.POSITIVE_INFINITY } = this.#order;
    if (this.operations >= changeAt && this.#changes === 0 && this.#mayChange()) this.#change();
  }

  #change(): void {
    const kind = this.world.scene.changes[this.#changes++];
    if (kind === undefined) return;
    this.world.log.push(`the user asks for ${kind}`);
    this.#isPaused ||= kind === 'pause' || kind === 'pause-class';
    this.#hasCancelled ||= kind === 'cancel-class';
    if (kind === 'edit') startEdit(this.world, this.#edits++);
    else startChange(this.world, kind);
  }

  #letGoOn(): void {
    this.world.log.push('the user lets it go on');
    this.#isPaused = false;
    startChange(this.world, 'resume');
  }

  #fire(timer: { readonly dueMs: number; fire(): void }): void {
    this.world.nowMs = Math.max(this.world.nowMs, timer.dueMs);
    timer.fire();
  }

  #restart(place: number): void {
    const [gone] = this.#restarts.splice(place, 1);
    if (gone === undefined) return;
    this.world.log.push(`${gone.role}${gone.index} starts`);
    if (gone.role === 'api') startApi(this.world);
    else if (gone.role === 'worker') startWorker(this.world, gone.index);
    else startListener(this.world, gone.index);
  }

  /** No more faults: everything that can go on does, until the run has ended and nothing is left. */
  async #finish(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      await this.#comeToRest();
      const isDone = this.world.isAcknowledged && !this.#mayCancel() && !this.#mayChange();
      if (isDone && (await readHasEnded(this.world)) && this.#rests++ > 0) {
        if (!(await readHasShadow(this.world))) return;
      }
      await this.#nextRound();
    }
    this.world.fail('the run did not end');
    this.#throwViolation();
  }

  async #comeToRest(): Promise<void> {
    const { world } = this;
    const until = world.nowMs + nearMs;
    for (let step = 0; step < mostStepsPerRound; step++) {
      this.#changeInTime();
      if (await this.#goOnInTurn()) continue;
      const timers = world.live().flatMap((process) => (process.isFrozen ? [] : process.timers()));
      const near = timers.filter(({ dueMs }) => dueMs <= until);
      const [first] = near.sort((a, b) => a.dueMs - b.dueMs);
      if (first === undefined) return;
      this.#fire(first);
      await rest();
    }
    world.fail('it does not come to rest');
    this.#throwViolation();
  }

  async #nextRound(): Promise<void> {
    const { world } = this;
    while (this.#restarts.length > 0) this.#restart(0);
    for (const process of world.live()) process.isFrozen = false;
    for (const job of world.jobs.active()) world.jobs.stall(job);
    for (const notice of unnoticedLosses(world)) notice();
    if (!world.listeners.some(({ leases }) => leases.isOwner)) world.listeners[0]?.leases.take();
    if (this.#mayCancel()) this.#cancel();
    // What has been asked for comes before it is lifted.
    else if (this.#mayChange()) this.#change();
    else if (world.changed.size > 0) this.#letGoOn();
    world.nowMs += world.isAcknowledged ? 11_000 : 31_000;
    this.world.log.push('a round of chores');
    await rest();
    for (const listener of world.listeners) {
      for (const which of listener.chores.keys()) startChore(listener, which);
    }
    for (const check of checksOfCancels(world, this.#hasCancelled)) check();
    for (const check of checksOfEdits(world)) check();
    await rest();
  }

  #throwViolation(): void {
    const { violation } = this.world;
    if (violation !== null) throw violation;
  }
}

/** Until nothing is left to do but what waits for the schedule: only microtasks lie in between. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
