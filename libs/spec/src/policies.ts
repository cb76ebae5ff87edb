import { suggest } from '@runnel/core';
import type { IssueList, Path } from './issue-list.ts';
import type { Kind, Policy, RawEntry, RawPolicy } from './kinds/kind.ts';
import type { RunHead } from './schema.ts';

interface Known {
  readonly executors: readonly string[];
  readonly pools: readonly string[];
  readonly issues: IssueList;
}

/** An entry with the defaults filled in, and the rules that come of it. */
export interface Settled {
  readonly merged: RawPolicy;
  /** Equal rules are one object. */
  readonly policy: Policy;
}

/** Merges `defaults` into entries and says which executors and pools are not known. */
export class Policies {
  readonly #defaults: RawPolicy;
  readonly #known: Known;
  readonly #executors: ReadonlySet<string>;
  readonly #pools: ReadonlySet<string>;
  readonly #interned = new Map<string, Policy>();

  constructor(head: RunHead, known: Known) {
    const { defaults = {}, priority } = head;
    this.#defaults = priority === undefined ? defaults : { priority, ...defaults };
    this.#known = known;
    this.#executors = new Set(known.executors);
    this.#pools = new Set(known.pools);
    this.#check(defaults, ['defaults']);
  }

  settle(entry: RawEntry, kind: Kind, path: Path): Settled {
    const merged = mergePolicy(this.#defaults, entry);
    if (kind.name === 'task') this.#checkEntry(entry, path);
    const key = signatureOf(kind.name, merged);
    const policy = this.#interned.get(key) ?? kind.policyOf(merged);
    this.#interned.set(key, policy);
    return { merged, policy };
  }

  /** What comes of `defaults` was checked there. */
  #checkEntry(entry: RawEntry, path: Path): void {
    this.#check(
      {
        executor: entry.executor ?? (this.#defaults.executor === undefined ? 'local' : undefined),
        pool: entry.pool ?? (this.#defaults.pool === undefined ? 'default' : undefined),
      },
      path,
    );
  }

  #check({ executor, pool }: RawPolicy, path: Path): void {
    const { executors, pools, issues } = this.#known;
    if (executor !== undefined && !this.#executors.has(executor)) {
      issues.add([...path, 'executor'], () => describeUnknown('executor', executor, executors));
    }
    if (pool !== undefined && !this.#pools.has(pool)) {
      issues.add([...path, 'pool'], () => describeUnknown('pool', pool, pools));
    }
  }
}

function describeUnknown(what: string, name: string, known: readonly string[]): string {
  const hint = suggest(name, known);
  const list = known.length === 0 ? `there is no ${what}` : `known are ${known.join(', ')}`;
  return `no ${what} is named ${JSON.stringify(name)}${hint}; ${list}`;
}

function mergePolicy(defaults: RawPolicy, entry: RawEntry): RawPolicy {
  const merged = { ...defaults, ...entry };
  if (defaults.retries === undefined || entry.retries === undefined) return merged;
  return { ...merged, retries: { ...asObject(defaults.retries), ...asObject(entry.retries) } };
}

function asObject(retries: NonNullable<RawPolicy['retries']>): object {
  return typeof retries === 'number' ? { limit: retries } : retries;
}

function signatureOf(kind: string, merged: RawPolicy): string {
  return JSON.stringify([
    kind,
    merged.executor,
    merged.pool,
    merged.priority,
    merged.timeout,
    merged.retries,
    merged.successExitCodes,
    merged.allowFailure,
    merged.resources,
    merged.templated,
    merged.version,
    merged.generator,
  ]);
}
