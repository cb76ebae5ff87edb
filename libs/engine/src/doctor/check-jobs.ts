import type { DeliveryKey } from '@runnel/queue';
import { type Delivery, type RedisClient, readOldestOutcomeAge, shardOf } from '@runnel/store';
import type { Findings } from './finding.ts';
import type { RunLook } from './run-look.ts';

/** Asks BullMQ for the carriers of those that it neither keeps waiting nor has active. */
export interface JobLookup {
  findLost(
    queue: string,
    runId: string,
    deliveries: readonly DeliveryKey[],
  ): Promise<readonly number[]>;
}

/** Less than the time between two looks. */
const betweenLooksMs = 2_000;
/** What is younger may not be in BullMQ yet; it is not asked for. */
const youngS = 10;

/** Open deliveries against BullMQ: one without a job is lost, unless its outcomes may be on their way. */
export async function checkJobs(
  redis: RedisClient,
  look: RunLook,
  jobs: JobLookup,
  findings: Findings,
): Promise<void> {
  const { handle } = look.facts;
  const unmoved = new Set(look.now.outbox.map(({ carrier }) => carrier));
  const asked = look.deliveries.flatMap(({ delivery }) => {
    const isAsked =
      delivery !== null &&
      !unmoved.has(delivery.carrier) &&
      look.nowMs / 1000 - delivery.cutAtS > youngS;
    return isAsked ? [delivery] : [];
  });
  if (asked.length === 0) return;
  const lost: Delivery[] = [];
  for (const [number, queue] of handle.queues.entries()) {
    const here = asked.filter((delivery) => delivery.queue === number);
    const gone = new Set(await jobs.findLost(queue, handle.id, here));
    lost.push(...here.filter(({ carrier }) => gone.has(carrier)));
  }
  if (lost.length === 0 || (await hasOutcomes(redis, look))) return;
  for (const { carrier, token } of lost) {
    findings.add('delivery-lost', `token ${token.toString('hex')}`, {
      carrier,
      mend: { by: 'reissue', carrier, token },
    });
  }
}

/** What stood in the stream at an earlier look has been settled since where all of it is younger. */
async function hasOutcomes(redis: RedisClient, { facts }: RunLook): Promise<boolean> {
  const { namespace, id } = facts.handle;
  const age = await readOldestOutcomeAge(redis, namespace, shardOf(id));
  return age !== null && age >= betweenLooksMs;
}
