import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Client, UnreachableError, type WireRun } from '@runnel/client';
import { type FinalRunState, isFinalRunState } from '@runnel/core';
import { countFinal, renderProgress, renderProgressLine } from './progress.ts';
import { Rate } from './rate.ts';
import { Remaining } from './remaining.ts';
import type { Terminal } from './terminal.ts';

export interface FollowOptions {
  readonly client: Client;
  readonly id: string;
  readonly terminal: Terminal;
  /** Stops looking; the run goes on. */
  readonly signal: AbortSignal;
}

/** A run that has ended. */
export interface EndedRun extends WireRun {
  readonly state: FinalRunState;
}

/** The first looks come quickly, so that a short run is not waited for. */
const firstPollMs = 40;
const pollMs = 250;
/** Without a screen, a line a second is enough. */
const lineEveryMs = 1_000;
/** A server that restarts is back by then. */
const patienceMs = 30_000;

/**
 * Shows a run until it has ended; null where the signal was aborted before. One request is in flight at
 * a time. Throws ApiError, and UnreachableError after half a minute without an answer.
 */
export async function followRun(options: FollowOptions): Promise<EndedRun | null> {
  const { terminal, signal } = options;
  const reader = new PatientReader(options);
  const screen = new Screen(terminal, new Remaining(options.client, options.id, Date.now()));
  try {
    for (let wait = firstPollMs; ; wait = Math.min(pollMs, wait * 1.5)) {
      const run = await reader.read();
      if (run !== null) screen.draw(run);
      if (run !== null && hasEnded(run)) return run;
      await sleep(wait, undefined, { signal });
    }
  } catch (error: unknown) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    terminal.show([]);
  }
}

function hasEnded(run: WireRun): run is EndedRun {
  return isFinalRunState(run.state);
}

/** Bears with a server that is away for a moment. */
class PatientReader {
  readonly #options: FollowOptions;
  #awaySince: number | null = null;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** null where the server is away. */
  async read(): Promise<WireRun | null> {
    const { client, id, signal, terminal } = this.#options;
    try {
      const run = await client.getRun(id, { signal });
      if (this.#awaySince !== null) terminal.say('the server answers again');
      this.#awaySince = null;
      return run;
    } catch (error: unknown) {
      if (signal.aborted || !isAway(error)) throw error;
      const now = performance.now();
      if (this.#awaySince === null) {
        terminal.say(`the server does not answer (${error.message}); trying again`);
      }
      this.#awaySince ??= now;
      if (now - this.#awaySince > patienceMs) throw error;
      return null;
    }
  }
}

/** A server that may be back in a moment. */
export function isAway(error: unknown): error is Error {
  return error instanceof UnreachableError || (error instanceof ApiError && error.status === 503);
}

/** Draws the live block, or lines where there is no screen. */
class Screen {
  readonly #terminal: Terminal;
  readonly #remaining: Remaining;
  readonly #rate = new Rate();
  #lastLine = '';
  #lastLineAt = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal, remaining: Remaining) {
    this.#terminal = terminal;
    this.#remaining = remaining;
  }

  draw(run: WireRun): void {
    const now = performance.now();
    this.#rate.add(now, countFinal(run.counts));
    const rate = this.#rate.perSecond;
    const { isLive, columns, rows, isUnicode, style } = this.#terminal;
    if (isLive) {
      const nowMs = Date.now();
      const remainingMs = run.state === 'running' ? this.#remaining.remainingMs(nowMs) : null;
      const view = { columns, rows, isUnicode, style, rate, remainingMs, nowMs };
      this.#terminal.show(renderProgress(run, view));
      return;
    }
    const line = renderProgressLine(run, null);
    const isDue = now - this.#lastLineAt >= lineEveryMs && !isFinalRunState(run.state);
    if (!isDue || line === this.#lastLine) return;
    this.#lastLine = line;
    this.#lastLineAt = now;
    this.#terminal.say(renderProgressLine(run, rate));
  }
}
