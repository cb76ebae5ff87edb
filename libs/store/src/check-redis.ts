import { type Durability, SetupError } from '@runnel/core';
import { Cluster } from 'ioredis';
import { firstAnswer } from './hopeless.ts';
import { type RedisFacts, readRedisFacts } from './redis-facts.ts';
import type { RedisClient } from './script.ts';

export interface RedisDemands {
  readonly durability: Durability;
  /** Is told what is worth knowing but no reason to stop. */
  warn(message: string): void;
}

/**
 * Compares what Redis is with what it must be; a process calls it before it starts.
 *
 * @throws SetupError with everything that is wrong and the command that puts it right.
 */
export async function checkRedis(redis: RedisClient, demands: RedisDemands): Promise<void> {
  const isCluster = redis instanceof Cluster;
  const isSentinel = !isCluster && redis.options.sentinels !== null;
  const facts = await firstAnswer(redis, () => readRedisFacts(redis));
  const { refusals, warnings } = judgeRedis(facts, {
    durability: demands.durability,
    form: isCluster ? 'cluster' : isSentinel ? 'sentinel' : 'single',
  });
  for (const warning of warnings) demands.warn(warning);
  if (refusals.length > 0) throw new SetupError(refusals.join('\n'));
}

export interface Judgement {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

interface Case {
  readonly durability: Durability;
  readonly form: 'single' | 'sentinel' | 'cluster';
}

const oldestMajor = 7;

/** What is wrong with these servers, and what only should be known. */
export function judgeRedis(servers: readonly RedisFacts[], wanted: Case): Judgement {
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const facts of servers) {
    const own: Remarks = { refuse: [], warn: [] };
    remarkServer(facts, wanted, own);
    remarkDisk(facts, wanted, own);
    if (wanted.durability === 'ha') remarkReplicas(facts, wanted, own);
    const name = facts.where === '' ? 'Redis' : `Redis ${facts.where}`;
    refusals.push(...own.refuse.map((text) => `${name} ${text}`));
    warnings.push(...own.warn.map((text) => `${name} ${text}`));
  }
  return { refusals, warnings };
}

interface Remarks {
  readonly refuse: string[];
  readonly warn: string[];
}

function remarkServer(facts: RedisFacts, { form }: Case, { refuse, warn }: Remarks): void {
  if (Number(facts.version.split('.')[0]) < oldestMajor) {
    refuse.push(
      `${facts.version} is too old: ${oldestMajor}.0 or newer is needed (scripts use flags)`,
    );
  }
  if (facts.policy === null) {
    warn.push('does not tell its maxmemory-policy: make sure that it is noeviction');
  } else if (facts.policy !== 'noeviction') {
    refuse.push(
      `may evict keys (maxmemory-policy is ${facts.policy}), which would lose runs. ` +
        setIt('maxmemory-policy noeviction'),
    );
  }
  if (!facts.isMaster) refuse.push('is a replica, which takes no writes: give the master');
  if (facts.isClusterNode && form !== 'cluster') {
    refuse.push('is part of a Cluster: use the form redis-cluster://host:port,host:port');
  }
}

function remarkDisk(facts: RedisFacts, { durability }: Case, { refuse, warn }: Remarks): void {
  const isDurable = durability === 'durable';
  if (facts.appendOnly === null) {
    warn.push('does not tell whether it writes to disk (appendonly)');
  } else if (!facts.appendOnly) {
    const text = `keeps nothing on disk: when it ends, all runs are gone. ${setIt('appendonly yes')}`;
    (isDurable ? refuse : warn).push(text);
  }
  if (!isDurable) return;
  if (facts.appendFsync === null) {
    warn.push(
      'does not allow CONFIG GET, so that appendfsync could not be checked: ' +
        'RUNNEL_DURABILITY=durable needs "always"',
    );
  } else if (facts.appendFsync !== 'always') {
    refuse.push(
      `answers before it has written to disk (appendfsync is ${facts.appendFsync}), ` +
        `which RUNNEL_DURABILITY=durable forbids. ${setIt('appendfsync always')}`,
    );
  }
}

function remarkReplicas(facts: RedisFacts, { form }: Case, { refuse, warn }: Remarks): void {
  if (form === 'cluster') {
    refuse.push('is a Cluster, for which there is no RUNNEL_DURABILITY=ha: use Sentinel');
    return;
  }
  if (facts.goodReplicas === null) {
    refuse.push(
      'takes writes that no replica gets, which RUNNEL_DURABILITY=ha forbids. ' +
        setIt('min-replicas-to-write 1'),
    );
  }
  if (facts.replicas === 0) {
    refuse.push(
      'has no replica, and RUNNEL_DURABILITY=ha needs one: redis-cli REPLICAOF on another',
    );
  }
  if (form === 'single') {
    warn.push(
      'is one address: something outside has to move it when its machine is lost (redis-sentinel: does)',
    );
  }
}

function setIt(line: string): string {
  return `Set it with: redis-cli CONFIG SET ${line} (and the same in redis.conf)`;
}
