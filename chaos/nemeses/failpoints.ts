import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failpointNames } from '@runnel/core';
import { Queue } from 'bullmq';
import { ask } from '../api.ts';
import type { App, Cluster, Member } from '../cluster.ts';
import { drawGraph, toSpec } from '../graphs.ts';
import type { Nemesis, Strike } from '../nemesis.ts';

/** Which processes pass a point, by the beginning of its name. */
const passedBy: Readonly<Record<string, readonly App[]>> = {
  submit: ['api'],
  cancel: ['api'],
  remove: ['api'],
  claim: ['worker'],
  execute: ['worker'],
  report: ['worker'],
  return: ['worker'],
  settle: ['worker', 'listener'],
  outbox: ['worker', 'listener'],
  ack: ['listener'],
  times: ['listener'],
  lost: ['listener'],
  halt: ['listener'],
};

/** A start takes a second or two, and most points are passed many times a second. */
const waitMs = 8_000;

/** So many armed processes beside the others at once. */
const atOnce = 3;

interface Arm {
  readonly point: string;
  readonly app: App;
  readonly action: 'crash' | 'error';
}

/** Every named point of the protocol: once a process dies there, once an answer gets lost there. */
export const failpoints: Nemesis = {
  name: 'failpoints',
  weight: 1.5,
  async strike(strike) {
    const arms = failpointNames.flatMap((point) =>
      (passedBy[point.split('.')[0] ?? ''] ?? []).flatMap((app) =>
        (['crash', 'error'] as const).map((action) => ({ point, app, action })),
      ),
    );
    const disturbing = provoke(strike);
    const missed: Arm[] = [];
    const ofApi = arms.filter(({ app }) => app === 'api');
    const others = arms.filter(({ app }) => app !== 'api');
    await Promise.all([
      inTurn(ofApi, async (arm) => void ((await armApi(strike, arm)) || missed.push(arm))),
      ...Array.from({ length: atOnce }, (_, lane) =>
        inTurn(
          others.filter((_, index) => index % atOnce === lane),
          async (arm) => void ((await armExtra(strike, arm)) || missed.push(arm)),
        ),
      ),
    ]);
    disturbing.stop();
    await disturbing.stopped;
    const names = missed.map(({ point, app, action }) => `${point}=${action} of a ${app}`);
    strike.note(`${arms.length - missed.length} of ${arms.length} points were reached`);
    if (names.length > 0) strike.note(`not reached: ${names.join(', ')}`);
  },
};

async function inTurn<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  for (const item of items) await act(item);
}

/** One more process with an armed point; whether the point was reached. */
async function armExtra({ cluster, faults }: Strike, arm: Arm): Promise<boolean> {
  const hands = arm.point.startsWith('return.');
  const env = {
    RUNNEL_FAILPOINTS: `${arm.point}=${arm.action}`,
    // What is handed back is what the grace period did not suffice for.
    ...(hands ? { RUNNEL_GRACE: '1ms' } : {}),
  };
  const from = Date.now();
  const member = await cluster.add(arm.app, env);
  const { pid } = member;
  if (hands) {
    await sleep(4_000);
    member.signal('SIGTERM');
  }
  const reached = await waitForPoint(cluster, member, arm);
  faults.write({ fault: `${arm.action} at ${arm.point}`, target: arm.app, pid }, from, Date.now());
  await cluster.remove(member);
  return reached;
}

/** There is one api, at one address: it is started again with the point. */
async function armApi(strike: Strike, arm: Arm): Promise<boolean> {
  const { cluster, faults } = strike;
  const [api] = cluster.of('api');
  if (api === undefined) return false;
  api.armNextStart({ RUNNEL_FAILPOINTS: `${arm.point}=${arm.action}` });
  api.signal('SIGTERM');
  await api.endsWithin(waitMs);
  await sleep(1_000); // the supervisor starts it
  const from = Date.now();
  const { pid } = api;
  const reached = await waitForPoint(cluster, api, arm);
  faults.write({ fault: `${arm.action} at ${arm.point}`, target: 'api', pid }, from, Date.now());
  return reached;
}

async function waitForPoint(cluster: Cluster, member: Member, arm: Arm): Promise<boolean> {
  if (arm.action === 'crash') return await member.endsWithin(waitMs);
  const log = join(cluster.dir, 'logs', `${member.name}.log`);
  const giveUpAt = Date.now() + waitMs / 2;
  while (Date.now() < giveUpAt) {
    if (readFileSync(log, 'utf8').includes(`failpoint ${arm.point}`)) return true;
    await sleep(100);
  }
  return false;
}

/** Does what leads to the rarer points: cancels, deletions, lost jobs, submissions that nobody repeats. */
function provoke(strike: Strike): { stop(): void; readonly stopped: Promise<void> } {
  let isStopped = false;
  const { cluster, load, random } = strike;
  const connection = cluster.redis.connect();
  const queue = new Queue('default', { connection, prefix: 'runnel:{q.default}' });
  const turn = async (): Promise<void> => {
    const waiting = await queue.getWaiting(0, 20);
    for (const job of waiting.filter(() => random.chance(0.1))) await job.remove().catch(() => 0);
    const run = await load.submit(drawGraph(random));
    if (run === null) return;
    await load.cancel(run);
    if ((await load.waitForEnd(run, 3_000)) !== null) await load.delete(run);
    const spec = toSpec(drawGraph(random), load.journal);
    const unanswered = await ask(`${cluster.apiUrl}/api/v1/runs`, { method: 'POST', json: spec });
    const id = unanswered?.body['id'];
    if (typeof id === 'string') await load.delete(id);
  };
  const lanes = Array.from({ length: 3 }, async () => {
    while (!isStopped) {
      await Promise.race([turn(), sleep(5_000)]);
      await sleep(200);
    }
  });
  return {
    stop: () => {
      isStopped = true;
    },
    stopped: Promise.all(lanes).then(async () => {
      await queue.close();
      connection.disconnect();
    }),
  };
}
