import { countSeenTwice, type Finding, watchShards } from '@runnel/engine';
import type { Gauge, Metrics } from '@runnel/service';
import type { RedisClient } from '@runnel/store';
import type { ShardLeases } from './shards.ts';

export interface DoctorWatchOptions {
  /** For reads of all shards at once. */
  readonly sweeping: RedisClient;
  readonly namespace: string;
  readonly leases: ShardLeases;
  readonly metrics: Metrics;
  now(): number;
}

/** The cheap checks of the doctor on the shards that this listener owns, as a metric. */
export class DoctorWatch {
  readonly #options: DoctorWatchOptions;
  readonly #gauge: Gauge<'kind'>;
  #last: readonly Finding[] = [];

  constructor(options: DoctorWatchOptions) {
    this.#options = options;
    this.#gauge = options.metrics.gauge({
      name: 'doctor_findings',
      help: 'What is wrong with the shards of this listener, seen in two looks a minute apart',
      labels: ['kind'],
    });
  }

  /** What was there a minute ago and still is, counts. */
  async look(): Promise<void> {
    const { sweeping, namespace, leases, now } = this.#options;
    const shards = leases.owned();
    const found = await watchShards(sweeping, { namespace, shards, nowMs: now() });
    for (const [kind, count] of countSeenTwice(this.#last, found)) this.#gauge.set({ kind }, count);
    this.#last = found;
  }
}
