import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WireEvent } from '@runnel/client';
import { isFinalRunState } from '@runnel/core';
import { clean } from './clean.ts';
import { isAway } from './follow-run.ts';
import type { Terminal } from './terminal.ts';

export interface PrintEventsOptions {
  readonly client: Client;
  readonly id: string;
  readonly terminal: Terminal;
  /** A line of JSON for each event. */
  readonly json: boolean;
  readonly signal: AbortSignal;
}

const retryMs = 500;
/** A server that restarts is back by then. */
const patienceMs = 30_000;

/**
 * Prints the events of a run to its end, going on after the last one where the connection breaks. Throws
 * where the signal is aborted, and UnreachableError after half a minute without an answer.
 */
export async function printEvents(options: PrintEventsOptions): Promise<void> {
  const printer = new Printer(options);
  while (!(await printer.printOn())) {
    await sleep(retryMs, undefined, { signal: options.signal });
  }
}

class Printer {
  readonly #options: PrintEventsOptions;
  /** The number of the last event that was printed. */
  #after = 0;
  #awaySince: number | null = null;

  constructor(options: PrintEventsOptions) {
    this.#options = options;
  }

  /** True where nothing more will come. Bears with a server that is away for a moment. */
  async printOn(): Promise<boolean> {
    try {
      return (await this.#printAll()) || (await this.#hasEnded());
    } catch (error: unknown) {
      if (this.#options.signal.aborted || !isAway(error)) throw error;
      this.#awaySince ??= performance.now();
      if (performance.now() - this.#awaySince > patienceMs) throw error;
      return false;
    }
  }

  /** True after the last event of all. */
  async #printAll(): Promise<boolean> {
    const { client, id, terminal, json, signal } = this.#options;
    let hasEnded = false;
    for await (const event of client.followEvents(id, { after: this.#after, signal })) {
      this.#awaySince = null;
      this.#after = numberOf(event) ?? this.#after;
      terminal.print(json ? JSON.stringify(event) : describeEvent(event));
      // After an end a retry may have gone on: the server closes the stream when it knows no more.
      hasEnded = event.type === 'runnel.run.ended' || event.type === 'runnel.run.removed';
    }
    return hasEnded;
  }

  /** Where the server closed the stream: it stops, or the run had ended before. */
  async #hasEnded(): Promise<boolean> {
    const { client, id, signal } = this.#options;
    const { state } = await client.getRun(id, { signal });
    this.#awaySince = null;
    return isFinalRunState(state);
  }
}

function numberOf({ id }: WireEvent): number | null {
  return /^\d+$/.test(id) ? Number(id) : null;
}

/** `2030-01-31T08:00:00.000Z task.failed pull:CITY=oslo attempt 1: exit: no such file`. */
export function describeEvent({ time, type, subject, data }: WireEvent): string {
  const { attempt, reason, message, state } = data;
  const what = [
    ...(typeof attempt === 'number' && attempt > 0 ? [`attempt ${attempt}`] : []),
    ...(typeof reason === 'string' ? [reason] : []),
    ...(typeof message === 'string' ? [clean(message.split('\n')[0] ?? '')] : []),
    ...(type === 'runnel.run.ended' ? [String(state)] : []),
  ].join(': ');
  return [time, type.replace(/^runnel\./, ''), subject, what].filter(Boolean).join(' ');
}
