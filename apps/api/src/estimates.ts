import { keepNewest } from '@runnel/core';
import { Shares } from '@runnel/engine';
import { estimateRest, type RestEstimate } from '@runnel/planning';
import type { RunInfo } from '@runnel/store';
import type { ApiContext } from './context.ts';

/** An estimate is told to everybody who asks within this time; of large runs, ten times as long. */
const freshMs = 5_000;
const largeTasks = 100_000;
const mostKept = 256;

interface Kept {
  readonly until: number;
  readonly estimate: Promise<RestEstimate | null>;
}

type EstimateContext = Pick<ApiContext, 'redis' | 'settings' | 'clock' | 'history'>;

/** Estimates of the remaining time, each made once for all who follow the run. */
export class RunEstimates {
  readonly #context: EstimateContext;
  readonly #kept = new Map<string, Kept>();

  constructor(context: EstimateContext) {
    this.#context = context;
  }

  /** Null where nothing was measured yet. */
  read(info: RunInfo): Promise<RestEstimate | null> {
    const { id } = info.facts.handle;
    const now = this.#context.clock.now();
    const kept = this.#kept.get(id);
    if (kept !== undefined && kept.until > now) return kept.estimate;
    this.#kept.delete(id);
    const estimate = this.#make(info);
    const forMs = info.facts.nodeCount > largeTasks ? freshMs * 10 : freshMs;
    this.#kept.set(id, { until: now + forMs, estimate });
    estimate.catch(() => this.#kept.delete(id));
    keepNewest(this.#kept, mostKept);
    return estimate;
  }

  async #make(info: RunInfo): Promise<RestEstimate | null> {
    const { redis, settings, clock, history } = this.#context;
    const shares = new Shares(redis, settings.namespace);
    await shares.refresh(clock.now());
    const { name, priority } = info.facts;
    return await estimateRest(redis, info, {
      slotsOf: (queue) => shares.of([queue], priority)[0]?.slots ?? 1,
      earlier: await history.ofName(name),
    });
  }
}
