import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './api.ts';
import { drawGraph, type Graph, toSpec } from './graphs.ts';
import type { JsonLines } from './json-lines.ts';
import type { Random } from './random.ts';

export interface LoadOptions {
  readonly apiUrl: string;
  /** Where tasks write what they do. */
  readonly journal: string;
  /** What was submitted, acknowledged, cancelled and seen to end. */
  readonly log: JsonLines;
  readonly random: Random;
  /** Runs at a time. */
  readonly lanes?: number;
}

const usualLanes = 5;

/** A submission that broke off is removed after a minute; only then can its key be used again. */
const submitWithinMs = 150_000;

/** Long enough that a slow machine is not given more and more to do. */
const followForMs = 60_000;

/** A lane that waits for a submission that broke off would make no load meanwhile. */
const laneWaitsMs = 3_000;

const finalStates = ['succeeded', 'failed', 'cancelled'];

/** Submits runs one after another in several lanes, and writes down what was answered. */
export class Load {
  taskCount = 0;
  readonly #options: LoadOptions;
  readonly #lanes: Promise<void>[] = [];
  readonly #submissions = new Set<Promise<string | null>>();
  #isStopped = false;
  #keys = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    for (let lane = 0; lane < (this.#options.lanes ?? usualLanes); lane++) {
      this.#lanes.push(this.#runLane());
    }
  }

  /** Resolves when every submission has been answered; runs may still go on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes);
    await Promise.all(this.#submissions);
  }

  /** Where tasks write what they do. */
  get journal(): string {
    return this.#options.journal;
  }

  /** Submits a graph until it is acknowledged; null where that did not come. */
  async submit(graph: Graph): Promise<string | null> {
    return await this.submitSpec(graph, toSpec(graph, this.#options.journal));
  }

  /** The same for a spec of its own, of which the checker knows only that it must end. */
  async submitSpec(graph: Graph, spec: unknown): Promise<string | null> {
    const { apiUrl, log } = this.#options;
    const key = `key-${process.pid}-${this.#keys++}`;
    log.append({ e: 'submit', key, at: Date.now(), graph });
    const giveUpAt = Date.now() + submitWithinMs;
    while (Date.now() < giveUpAt) {
      const answer = await ask(`${apiUrl}/api/v1/runs`, { method: 'POST', key, json: spec });
      if (answer?.status === 200 || answer?.status === 201) {
        const run = String(answer.body['id']);
        log.append({ e: 'ack', key, run, status: answer.status, at: Date.now() });
        this.taskCount += graph.length;
        return run;
      }
      if (answer?.status === 422 || answer?.status === 400) {
        throw new Error(`a spec was refused: ${JSON.stringify(answer.body)}`);
      }
      await sleep(this.#options.random.between(100, 600));
    }
    log.append({ e: 'refused', key, at: Date.now() });
    return null;
  }

  async cancel(run: string): Promise<void> {
    const { apiUrl, log } = this.#options;
    for (let tries = 0; tries < 100; tries++) {
      const answer = await ask(`${apiUrl}/api/v1/runs/${run}/cancel`, { method: 'POST' });
      if (answer !== null && answer.status < 300) {
        log.append({ e: 'cancel', run, at: Date.now() });
        return;
      }
      if (answer !== null && answer.status < 500) return;
      await sleep(200);
    }
  }

  /** Deletes a run that has ended, until the API says that it is gone. */
  async delete(run: string): Promise<void> {
    const { apiUrl, log } = this.#options;
    log.append({ e: 'delete', run, at: Date.now() });
    for (let tries = 0; tries < 100; tries++) {
      const answer = await ask(`${apiUrl}/api/v1/runs/${run}`, { method: 'DELETE' });
      if (answer?.status === 204 || answer?.status === 404) return;
      await sleep(200);
    }
  }

  /** Resolves with the state that a run ended in; null where it did not end in time. */
  async waitForEnd(run: string, withinMs: number): Promise<string | null> {
    const giveUpAt = Date.now() + withinMs;
    while (Date.now() < giveUpAt) {
      const answer = await ask(`${this.#options.apiUrl}/api/v1/runs/${run}`);
      const state = answer?.status === 200 ? String(answer.body['state']) : '';
      if (finalStates.includes(state)) return state;
      await sleep(200);
    }
    return null;
  }

  async #runLane(): Promise<void> {
    const { random } = this.#options;
    while (!this.#isStopped) {
      const run = await this.#submitForAWhile(drawGraph(random));
      if (run === null) continue;
      if (random.chance(0.08)) {
        await sleep(random.between(50, 1_500));
        await this.cancel(run);
      }
      await this.#follow(run);
    }
  }

  /** A submission that takes longer goes on by itself; null then. */
  async #submitForAWhile(graph: Graph): Promise<string | null> {
    const submission = this.submit(graph);
    this.#submissions.add(submission);
    void submission.then(() => this.#submissions.delete(submission));
    return await Promise.race([submission, sleep(laneWaitsMs, null)]);
  }

  async #follow(run: string): Promise<void> {
    const { apiUrl, log } = this.#options;
    const giveUpAt = Date.now() + followForMs;
    while (!this.#isStopped && Date.now() < giveUpAt) {
      const answer = await ask(`${apiUrl}/api/v1/runs/${run}`);
      const state = answer?.status === 200 ? String(answer.body['state']) : '';
      if (finalStates.includes(state)) {
        log.append({ e: 'final', run, state, counts: answer?.body['counts'], at: Date.now() });
        return;
      }
      await sleep(200);
    }
  }
}
