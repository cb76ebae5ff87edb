import { NotFoundError, unreachable } from '@runnel/core';
import {
  allScripts,
  nudge,
  type OpenRunHandle,
  type RedisClient,
  readRunFacts,
  reissue,
  runHandle,
  shardHandle,
} from '@runnel/store';
import type { RepairContext } from './doctor.ts';
import type { Examination } from './examine.ts';
import type { Finding, Mend } from './finding.ts';

/** Tasks that one script puts right: well below 1 ms each. */
const tasksPerCall = 128;
const countersPerCall = 256;

/**
 * Mends what was found. Scripts check again that what they mend is as it was seen, so a run may go
 * on meanwhile. Returns the number of steps that took effect.
 */
export async function mendAll(
  context: RepairContext,
  examination: Pick<Examination, 'findings' | 'repairs'>,
): Promise<number> {
  const byRun = Map.groupBy(examination.findings, ({ run }) => run);
  let steps = 0;
  for (const [run, findings] of byRun) {
    if (run === null) steps += await mendShards(context, findings);
    else steps += await mendRun(context, run, findings, examination.repairs.get(run) ?? 0);
  }
  return steps;
}

async function mendShards(
  { redis, namespace }: RepairContext,
  findings: readonly Finding[],
): Promise<number> {
  let steps = 0;
  for (const { mend, shard } of findings) {
    if (mend?.by !== 'demand' || shard === null) continue;
    const { keys } = shardHandle(namespace, shard);
    const { field, seen, right } = mend;
    steps += await allScripts.repairDemand.run(redis, keys, [field, seen, right]);
  }
  return steps;
}

async function mendRun(
  context: RepairContext,
  runId: string,
  findings: readonly Finding[],
  repairs: number,
): Promise<number> {
  const { redis, namespace } = context;
  const mends = findings.flatMap(({ mend }) => (mend === null ? [] : [mend]));
  if (mends.length === 0) return 0;
  const facts = await readRunFacts(redis, namespace, runId).catch(nullIfGone);
  const handle = facts?.handle ?? { ...runHandle(namespace, runId), queues: [] };
  const run = new RunRepair(context, handle, repairs);
  for (const mend of mends) await run.apply(mend);
  await run.applyTasks(mends.filter((mend) => mend.by === 'task'));
  // Counters come last, when what they count is in order.
  const counters = mends.filter((mend) => mend.by === 'counters');
  if (counters.length === mends.length) await run.applyCounters(counters);
  else if (run.steps === 0) await run.applyCounters(counters);
  if (mends.some(({ by }) => by === 'move-outbox')) await context.moveOutbox(runId);
  // What was put right goes on, and a run that was done all along ends.
  if (facts !== null) await nudge(redis, namespace, runId);
  return run.steps;
}

function nullIfGone(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

/** Repairs of one run, each refused where somebody else has made one since the run was read. */
class RunRepair {
  steps = 0;
  readonly #redis: RedisClient;
  readonly #run: OpenRunHandle;
  readonly #now: number;
  #repairs: number;

  constructor({ redis, now }: RepairContext, run: OpenRunHandle, repairs: number) {
    this.#redis = redis;
    this.#run = run;
    this.#now = now();
    this.#repairs = repairs;
  }

  async apply(mend: Mend): Promise<void> {
    switch (mend.by) {
      case 'ready':
        return this.#count(await this.#ready(mend));
      case 'delivery':
        return this.#count(await this.#delivery(mend));
      case 'reissue':
        this.steps += (await reissue(this.#redis, this.#run, mend, this.#now)) > 0 ? 1 : 0;
        return;
      case 'drop-outbox':
        this.steps += await this.#redis.zrem(this.#run.names.outbox, mend.carrier);
        return;
      case 'drop-backlog':
        this.steps += await this.#redis.lrem(this.#run.names.backlog, 1, mend.entry);
        return;
      case 'times':
      case 'sets':
        this.steps += await this.#place(mend);
        return;
      case 'turn':
      case 'move-outbox':
        this.steps++;
        return;
      case 'task':
      case 'counters':
      case 'demand':
        return;
      default:
        throw unreachable(mend);
    }
  }

  async applyTasks(mends: readonly Extract<Mend, { by: 'task' }>[]): Promise<void> {
    for (let at = 0; at < mends.length; at += tasksPerCall) {
      const page = mends.slice(at, at + tasksPerCall);
      const args = page.flatMap(({ id, state, word, newWord, verdict }) => [
        ...[id, state, word, newWord, verdict],
      ]);
      const { repairTasks } = allScripts;
      this.#count(await repairTasks.run(this.#redis, this.#run.keys, [this.#repairs, ...args]));
    }
  }

  async applyCounters(mends: readonly Extract<Mend, { by: 'counters' }>[]): Promise<void> {
    for (let at = 0; at < mends.length; at += countersPerCall) {
      const page = mends.slice(at, at + countersPerCall);
      const args = page.flatMap(({ name, difference }) => [name, difference]);
      const { repairCounters } = allScripts;
      this.#count(await repairCounters.run(this.#redis, this.#run.keys, [this.#repairs, ...args]));
    }
  }

  #ready({ queue, entry, rest, group }: Extract<Mend, { by: 'ready' }>): Promise<number> {
    return allScripts.repairReady.run(this.#redis, this.#run.keys, [
      ...[this.#repairs, queue, entry, rest, group ?? ''],
    ]);
  }

  #delivery(mend: Extract<Mend, { by: 'delivery' }>): Promise<number> {
    const { carrier, raw, isMalformed, places } = mend;
    return allScripts.repairDelivery.run(this.#redis, this.#run.keys, [
      ...[this.#repairs, carrier, raw, isMalformed ? 1 : 0, ...places],
    ]);
  }

  #place(mend: Extract<Mend, { by: 'times' | 'sets' }>): Promise<number> {
    const { repairTimes, repairSets } = allScripts;
    const args = [this.#run.id, this.#now];
    if (mend.by === 'sets') return repairSets.run(this.#redis, this.#run.keys, args);
    return repairTimes.run(this.#redis, this.#run.keys, [...args, mend.id]);
  }

  /** A refused repair is found and made again in the next round. */
  #count(repairs: number): void {
    if (repairs < 0) return;
    this.#repairs = repairs;
    this.steps++;
  }
}
