import { type Chores, runChannel } from '@runnel/store';

/** Tells followers of runs what happened: a hint that nobody waits for, and nothing depends on. */
export class RunNews {
  readonly #chores: Chores;
  readonly #namespace: string;

  constructor(chores: Chores, namespace: string) {
    this.#chores = chores;
    this.#namespace = namespace;
  }

  /** After a turn: some tasks were settled, or the run ended; they read the run to see how. */
  tell(runId: string, what: 'settled' | 'ended'): void {
    const channel = runChannel(this.#namespace, runId);
    this.#chores.add(runId, (pipeline) => pipeline.publish(channel, what));
  }
}
