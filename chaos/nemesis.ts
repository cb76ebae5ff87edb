import type { Cluster, ClusterOptions } from './cluster.ts';
import type { FaultLog } from './fault-log.ts';
import type { Load } from './load.ts';
import type { Random } from './random.ts';

/** What a nemesis works with while the load goes on. */
export interface Strike {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly random: Random;
  readonly faults: FaultLog;
  /** When it should stop; what it has broken it mends before it returns. */
  readonly until: number;
  /** A figure or a remark that is printed under the table. */
  note(text: string): void;
  /** What it found wrong by itself. */
  violate(rule: string, detail: string): void;
}

/** A kind of trouble: how the cluster must be for it, and what it does to it. */
export interface Nemesis {
  readonly name: string;
  /** Part of the whole time; 1 is usual. */
  readonly weight?: number;
  /** 99 of 100 tasks of a worker that dies must start elsewhere within this. */
  readonly restartsWithinMs?: number;
  options?(dir: string): Omit<ClusterOptions, 'dir'> | Promise<Omit<ClusterOptions, 'dir'>>;
  /** Why it can't run here; null where it can. */
  unfit?(): string | null;
  strike(strike: Strike): Promise<void>;
  /** After everything was stopped. */
  cleanUp?(dir: string): void;
}
