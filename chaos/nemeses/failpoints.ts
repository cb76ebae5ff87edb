import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { failpointNames } from '@runnel/core';
import { Queue } from 'bullmq';
import { type Answer, ask } from '../api.ts';
import { type App, apps, type Member } from '../cluster.ts';
import { drawGraph, toSpec } from '../graphs.ts';
import type { Nemesis, Strike } from '../nemesis.ts';

/** Which processes pass a point, by the beginning of its name. */
const passedBy: Readonly<Record<string, readonly App[]>> = {
  submit: ['api'],
  start: ['api'],
  cancel: ['api'],
  remove: ['api'],
  claim: ['worker'],
  execute: ['worker'],
  report: ['worker'],
  return: ['worker'],
  settle: ['worker', 'listener'],
  turn: ['listener'],
  outbox: ['worker', 'listener'],
  ack: ['listener'],
  times: ['listener'],
  lost: ['listener'],
  halt: ['listener'],
};

/** A start takes a second or two, on a busy machine much longer. */
const startsWithinMs = 60_000;

/** Most points are passed many times a second, by a listener as soon as it has some shards. */
const waitMs = 8_000;

/** A lost delivery is looked after only when it is 10 s old. */
const waitForLostMs = 25_000;

/** For all points together, each of which throws once. */
const waitForAllMs = 20_000;

/** So many armed processes beside the others at once. */
const atOnce = 3;

/** What each app says when it has started. */
const readyLine: Readonly<Record<App, string>> = {
  api: 'listening',
  listener: 'settling outcomes',
  worker: 'taking tasks',
};

/** Points of one process: one at which it dies, or all at which an answer is lost. */
interface Arm {
  readonly app: App;
  readonly action: 'crash' | 'error';
  readonly points: readonly string[];
}

/** Every named point of the protocol: once a process dies there, once an answer gets lost there. */
export const failpoints: Nemesis = {
  name: 'failpoints',
  weight: 1.5,
  async strike(strike) {
    const arms = allArms();
    const disturbing = provoke(strike);
    const missed: string[] = [];
    const play = async (arm: Arm): Promise<void> => {
      const { app, action } = arm;
      const act = app === 'api' ? armApi : armExtra;
      for (const point of await act(strike, arm)) missed.push(`${point}=${action} of a ${app}`);
    };
    const ofApi = arms.filter(({ app }) => app === 'api');
    const others = arms.filter(({ app }) => app !== 'api');
    const lanes = Array.from({ length: atOnce }, (_, lane) =>
      others.filter((_, index) => index % atOnce === lane),
    );
    await Promise.all([ofApi, ...lanes].map((lane) => inTurn(lane, play)));
    disturbing.stop();
    await disturbing.stopped;
    const count = arms.reduce((sum, { points }) => sum + points.length, 0);
    strike.note(`${count - missed.length} of ${count} points were reached`);
    if (missed.length > 0) strike.note(`not reached: ${missed.join(', ')}`);
  },
};

function allArms(): readonly Arm[] {
  return apps.flatMap((app) => {
    const points = failpointNames.filter((name) =>
      passedBy[name.split('.')[0] ?? '']?.includes(app),
    );
    const crashes = points.map((point) => ({ app, action: 'crash', points: [point] }) as const);
    return [...crashes, { app, action: 'error', points }];
  });
}

async function inTurn<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  for (const item of items) await act(item);
}

function settingOf({ points, action }: Arm): string {
  return points.map((point) => `${point}=${action}`).join(',');
}

/** One more process with armed points; those that were not reached. */
async function armExtra(strike: Strike, arm: Arm): Promise<readonly string[]> {
  const { cluster } = strike;
  const handsBack = arm.points.some((point) => point.startsWith('return.'));
  const member = await cluster.add(arm.app, {
    RUNNEL_FAILPOINTS: settingOf(arm),
    // What is handed back is what the grace period did not suffice for.
    ...(handsBack ? { RUNNEL_GRACE: '1ms' } : {}),
  });
  const missed = await watch(strike, { member, arm, handsBack });
  await cluster.remove(member);
  return missed;
}

/** There is one api, at one address: it is started again with the points. */
async function armApi(strike: Strike, arm: Arm): Promise<readonly string[]> {
  const [api] = strike.cluster.of('api');
  if (api === undefined) return arm.points;
  const { pid } = api;
  api.armNextStart({ RUNNEL_FAILPOINTS: settingOf(arm) });
  api.signal('SIGTERM');
  while (api.pid === pid) await sleep(50); // until the supervisor has started the next one
  return await watch(strike, { member: api, arm, handsBack: false });
}

async function watch(
  { cluster, faults }: Strike,
  { member, arm, handsBack }: { member: Member; arm: Arm; handsBack: boolean },
): Promise<readonly string[]> {
  const { pid } = member;
  const from = Date.now();
  const log = join(cluster.dir, 'logs', `${member.name}.log`);
  const read = (): string => readFileSync(log, 'utf8');
  const before = read().length;
  const hasDied = (): boolean => member.pid !== pid || member.isGone();
  const isReady = (): boolean => read().slice(before).includes(readyLine[arm.app]);
  await waitUntil(() => hasDied() || isReady(), startsWithinMs);
  const findMissed = (): readonly string[] => {
    const text = read();
    return arm.points.filter((point) => !text.includes(`failpoint ${point}`));
  };
  if (arm.action === 'error') await waitUntil(() => findMissed().length === 0, waitForAllMs);
  else await waitUntil(hasDied, patienceFor(arm));
  if (handsBack && !hasDied()) {
    member.signal('SIGTERM');
    await waitUntil(hasDied, waitMs);
  }
  const fault = `${arm.action} at ${arm.points.length > 1 ? 'all points' : arm.points[0]}`;
  faults.write({ fault, target: arm.app, pid }, from, Date.now());
  if (arm.action === 'crash') {
    return hasDied() && member.lastSignal === 'SIGKILL' ? [] : arm.points;
  }
  return findMissed();
}

function patienceFor({ points }: Arm): number {
  if (points.some((point) => point.startsWith('lost.'))) return waitForLostMs;
  return points.some((point) => point.startsWith('return.')) ? waitMs / 2 : waitMs;
}

async function waitUntil(isDone: () => boolean, withinMs: number): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!isDone() && Date.now() < giveUpAt) await sleep(50);
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
    await playLarge(strike);
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

/** Too many tasks for one call: submitted, started and cancelled page by page. */
async function playLarge({ cluster, load }: Strike): Promise<void> {
  const runs = `${cluster.apiUrl}/api/v1/runs`;
  const json = {
    parameters: { N: { from: 1, to: 20_000 } },
    tasks: [{ class: 'many', executor: 'sleep', parameters: ['N'], details: { ms: 200 } }],
  };
  // Under a key, so that a lost answer leaves no run behind that nobody knows.
  const key = randomUUID();
  const created = await askUntilAnswered(`${runs}?createdOnly=true`, { method: 'POST', json, key });
  const id = created?.body['id'];
  if (typeof id !== 'string') return;
  await askUntilAnswered(`${runs}/${id}/submit`, { method: 'POST' });
  await askUntilAnswered(`${runs}/${id}/cancel`, { method: 'POST' });
  if ((await load.waitForEnd(id, 10_000)) !== null) await load.delete(id);
}

async function askUntilAnswered(...request: Parameters<typeof ask>): Promise<Answer | null> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await ask(...request);
    if (answer !== null && answer.status < 500) return answer;
    await sleep(200);
  }
  return null;
}
