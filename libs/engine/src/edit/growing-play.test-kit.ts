import { type Delivery, isClaimed, RunInfo, readRunFacts, stateCode } from '@runnel/store';
import { type PlaceEnd, settlementOf } from '@runnel/store/store-driver';
import type { GrowingRun } from '../generate/growing.test-kit.ts';
import { type Draw, entriesOf, type GrowNode, setOf } from './growing-graph.test-kit.ts';
import { endOf, findNode, type Live } from './growing-rules.test-kit.ts';

/** A run that is played, under whichever revision it has now. */
export interface Play {
  readonly run: GrowingRun;
  readonly draw: Draw;
  nodes: readonly GrowNode[];
  live: Live;
  /** Tasks end otherwise from one round to the next. */
  round: number;
  readonly started: Set<string>;
  /** The last attempts that have generated. */
  readonly generated: Map<string, number>;
}

/** Goes on with what is open, so many steps or to the end. */
export async function playOn(play: Play, steps: number): Promise<void> {
  const { run, draw } = play;
  const { driver } = run;
  for (let step = 0; step < steps; step++) {
    const { state, outbox } = await driver.turn(1 + draw(4), 1 + draw(20), draw(3));
    await driver.clearOutbox(outbox.map(({ carrier }) => carrier));
    if (state !== 'running') return;
    const open = await driver.deliveries();
    const chosen = open[draw(open.length)];
    if (chosen !== undefined) await carryOut(play, chosen);
  }
  if (steps >= 5_000) throw new Error('the run did not end');
}

async function carryOut(play: Play, chosen: Delivery): Promise<void> {
  const { run, draw } = play;
  const { driver } = run;
  const isBegun = isClaimed(chosen) && (chosen.starts > 0 || draw(2) === 0);
  const claim = isBegun ? null : await driver.claim(chosen.carrier, chosen.attemptsStarted + 1);
  if (claim?.kind === 'refused') return;
  const delivery = claim?.delivery ?? chosen;
  const info = await readInfo(run);
  const ends: PlaceEnd[] = [];
  for (const [place, number] of delivery.ids.entries()) {
    if (!delivery.open[place] || draw(4) === 0) continue;
    const { id, group } = await info.task(number);
    play.started.add(id);
    const isGenerator = group.generator !== undefined;
    const end = await endTask(play, delivery, { place, id, isGenerator });
    // As if its worker had died before it told of its end: it is asked for once more.
    if (isGenerator && draw(5) === 0) continue;
    ends.push({ place, code: stateCode[end] });
  }
  await driver.settle([settlementOf(delivery, ends)], 4, 1 + draw(16), draw(3));
}

interface StartedTask {
  readonly place: number;
  readonly id: string;
  readonly isGenerator: boolean;
}

/** An attempt that has generated succeeds, whoever reports it. */
async function endTask(
  play: Play,
  delivery: Delivery,
  { place, id, isGenerator }: StartedTask,
): Promise<'succeeded' | 'failed'> {
  const { generated, round } = play;
  const attempt = delivery.attempts[place] ?? 1;
  const isAgain = isGenerator && generated.get(id) === attempt;
  const end = isAgain ? 'succeeded' : endOf(id, round);
  // It may have been a generator before.
  if (!isGenerator || end === 'failed') {
    generated.delete(id);
    return end;
  }
  await generate(play, delivery, { place, id });
  generated.set(id, attempt);
  return end;
}

async function generate(
  play: Play,
  delivery: Delivery,
  { place, id }: Pick<StartedTask, 'place' | 'id'>,
): Promise<void> {
  const { run, nodes } = play;
  const found = findNode(nodes, id, play.live);
  const set = setOf(found.node, found.around);
  run.infos.forget(run.driver.run.id);
  let isOver = false;
  const joining = run.join(delivery, entriesOf(set), place).finally(() => {
    isOver = true;
  });
  // It waits while turns retire what another set has replaced.
  while (!isOver) await run.driver.turn(0);
  const joined = await joining;
  if (joined.outcome !== 'succeeded') throw new Error(`${id}: ${JSON.stringify(joined)}`);
  const kept = [...play.live].filter(([one]) => !one.startsWith(`${id}.`));
  play.live = new Map([...kept, [id, set]]);
}

/** How a task ends that starts now. */
export function lastEnd({ generated, round }: Play, id: string): 'succeeded' | 'failed' {
  return generated.has(id) ? 'succeeded' : endOf(id, round);
}

export async function readInfo({ driver }: GrowingRun): Promise<RunInfo> {
  return new RunInfo(
    driver.redis,
    await readRunFacts(driver.redis, driver.namespace, driver.run.id),
  );
}
