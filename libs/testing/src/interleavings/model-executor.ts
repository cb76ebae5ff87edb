import {
  type AttemptResult,
  type Batch,
  type EndTask,
  type OpenExecutor,
  signalOf,
  type TaskInput,
} from '@runnel/core';
import type { ExecutorPool } from '@runnel/engine';
import { decodeDelivery } from '@runnel/store';
import { GrowingReference } from '../growing-graph.ts';
import { attemptEnds, decideBy } from '../model.ts';
import type { Growth } from './growth.ts';
import type { Process } from './process.ts';
import { readFinalStates } from './read-states.ts';
import { hasOutput, names } from './scene.ts';
import type { World } from './world.ts';

/** Carries out tasks as the graph says, and looks at each start whether it may be. */
export class ModelExecutors implements ExecutorPool {
  readonly #world: World;
  readonly #process: Process;
  #batches = 0;

  constructor(world: World, process: Process) {
    this.#world = world;
    this.#process = process;
  }

  async open(): Promise<OpenExecutor<unknown>> {
    return {
      execute: (batch, end) => this.#execute(batch, end),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** The whole delivery is handed over at once: a case knows no time that passes by itself. */
  isSideBySide(): boolean {
    return true;
  }

  secretPlaces(): readonly [] {
    return [];
  }

  parseDetails(_name: string, details: unknown): ReturnType<ExecutorPool['parseDetails']> {
    return { ok: true, details };
  }

  /** Each start and each end is a step of its own. */
  async #execute(batch: Batch<unknown>, end: EndTask): Promise<void> {
    const connection = `batch${this.#batches++}`;
    const numbers = batch.tasks.map(({ task }) => `${task.number}.${task.attempt}`).join();
    await this.#process.pass(connection, {
      label: `start ${numbers}`,
      run: () => this.#check(batch),
    });
    const bases = await this.#readBases();
    for (const [index, task] of batch.tasks.entries()) {
      if (task.task.number === this.#world.scene.poison) this.#world.kill(this.#process);
      const label = `end ${task.task.number}.${task.task.attempt}`;
      // Some steps long, so that what ended before is often reported alone.
      for (const step of [label, 'goes on', 'goes on']) {
        await this.#process.pass(connection, { label: step, run: () => undefined });
      }
      end(
        index,
        signalOf(batch, index).aborted
          ? { outcome: 'cancelled' }
          : this.#resultOf(task, bases[task.task.number]),
        1,
      );
    }
  }

  #resultOf(input: TaskInput<unknown>, base = '0'): AttemptResult {
    const { task } = input;
    const { growth } = this.#world;
    if (growth !== null) return growth.resultOf(input);
    const node = this.#world.expected[task.number];
    const ends = node === undefined ? [] : attemptEnds(node);
    // What was brought back goes on counting, and each of its attempts ends alike.
    const wasRetried = this.#world.changed.has('retry');
    const end = wasRetried ? ends[0] : ends[task.attempt - 1 - Number(base)];
    // An edit may have set back meanwhile what counts no more.
    if (end === undefined && !this.#world.changed.has('edit'))
      this.#world.fail(`${task.number} made attempt ${task.attempt}`);
    if (end === 'failed') return { outcome: 'failed', reason: 'exit', message: '', exitCode: 1 };
    return hasOutput(task.number)
      ? { outcome: 'succeeded', output: { attempt: task.attempt } }
      : { outcome: 'succeeded' };
  }

  /** No child starts before what it needs of its parents was accepted. */
  async #check(batch: Batch<unknown>): Promise<void> {
    const { growth } = this.#world;
    // A retry leaves a child that had been released where it is, and sets its parents back.
    if (this.#world.changed.has('retry')) return;
    if (growth !== null) return await this.#checkGrown(growth, batch);
    const { graph } = this.#world;
    const states = await readFinalStates(this.#world);
    const isWanted = await this.#readWanted();
    for (const { task } of batch.tasks) {
      if (!isWanted(task.number, task.attempt)) continue;
      const node = graph[task.number];
      if (node === undefined || node.isBarrier) this.#world.fail(`${task.number} is no task`);
      else if (decideBy(node, states) !== 'run') {
        const seen = node.parents.map(({ id }) => `${id}: ${states[id] ?? 'not final'}`).join();
        this.#world.fail(`${task.number} started too early (${node.runIf}; ${seen})`);
      }
    }
  }

  async #checkGrown(growth: Growth, batch: Batch<unknown>): Promise<void> {
    const { tasks } = await growth.read();
    const reference = new GrowingReference(growth.graph);
    for (const { task } of batch.tasks) {
      const may = reference.mayStart(task.id, (id) => tasks.get(id)?.state);
      if (!may) this.#world.fail(`${task.id} started too early`);
    }
  }

  /** What attempts are counted from. */
  async #readBases(): Promise<Readonly<Record<string, string>>> {
    if (!this.#world.changed.has('edit')) return {};
    return await this.#world.redis.hgetall(names.bases);
  }

  /** Whether an attempt counts still: an edit may have closed its delivery a moment ago. */
  async #readWanted(): Promise<(number: number, attempt: number) => boolean> {
    if (!this.#world.changed.has('edit')) return () => true;
    const open = new Set<string>();
    const packed = await this.#world.redis.hgetallBuffer(names.deliveries);
    for (const [carrier, bytes] of Object.entries(packed)) {
      const { ids, attempts, open: places } = decodeDelivery(Number(carrier), bytes);
      for (const [place, id] of ids.entries())
        if (places[place]) open.add(`${id}.${attempts[place]}`);
    }
    return (number, attempt) => open.has(`${number}.${attempt}`);
  }
}
