import { finishSteps, type Plan } from '@runnel/core';
import { adviseOn, type SimulationOptions, simulate } from '@runnel/planning';
import type { Cli } from './cli.ts';
import type { PlanOptions } from './commands/plan.ts';
import { UsageError } from './exit-codes.ts';
import { type Learnt, learnEstimates } from './learn-estimates.ts';
import { type Assumptions, queueOf, readAssumptions } from './plan-assumptions.ts';
import { renderSimulation } from './render-plan.ts';
import { requireServer } from './server.ts';
import type { SpecFile } from './spec-file.ts';
import { toInvalidSpec } from './spec-problems.ts';
import { type PlannedHere, planHere } from './validate-here.ts';

/** Plays a spec's run and prints what it came to. Throws InvalidSpecError, UsageError. */
export async function simulateSpec(cli: Cli, spec: SpecFile, options: PlanOptions): Promise<void> {
  const around = { env: cli.env, cwd: cli.cwd, executors: options.executors };
  const planned = await planHere(spec, around).catch((error: unknown) => {
    throw toInvalidSpec(error, spec);
  });
  const { plan } = planned;
  const queues = new Map(plan.groups.map((group) => [group, queueOfGroup(planned, group)]));
  const learnt = await learn(cli, plan.name, options);
  const assumptions = readAssumptions({
    ...(learnt === null ? {} : { learnt }),
    durations: options.duration,
    slots: options.slots,
    failureRates: options.failureRate,
    classes: [
      ...new Set(plan.groups.flatMap(({ kind, class: c }) => (kind === 'task' ? [c] : []))),
    ],
    queues: [...new Set(queues.values())].filter((queue) => queue !== ''),
    defaultSlots: (lane) =>
      lane === 'waits' ? planned.settings.waitConcurrency : planned.settings.concurrency,
  });
  const simulation: SimulationOptions = {
    ...assumptions,
    queueOf: (group) => queues.get(group) ?? '',
    seed: options.seed,
  };
  const result = finishSteps(simulate(plan, simulation));
  const advice = finishSteps(adviseOn(plan, simulation, result));
  if (options.json) {
    cli.terminal.printJson({ ...result, advice });
    return;
  }
  if (learnt !== null) cli.terminal.say(`learnt from ${learnt.source}`);
  sayAssumptions(cli, assumptions);
  for (const line of renderSimulation(result, advice)) cli.terminal.print(line);
}

/** Null: nothing is to be learnt. */
async function learn(
  cli: Cli,
  specName: string | null,
  options: PlanOptions,
): Promise<Learnt | null> {
  const { learn: asked } = options;
  if (asked === undefined || asked === false) return null;
  const name = asked === true ? specName : asked;
  if (name === null) throw new UsageError('--learn: the spec has no name; write --learn NAME');
  return await learnEstimates(requireServer(cli, options).client, name);
}

function queueOfGroup({ registry }: PlannedHere, group: Plan['groups'][number]): string {
  return group.kind === 'barrier' ? '' : queueOf(group.pool, registry.lane(group.executor));
}

function sayAssumptions(cli: Cli, { assumed }: Assumptions): void {
  if (assumed.size === 0) return;
  const names = [...assumed].slice(0, 5).join(', ');
  const more = assumed.size > 5 ? ` and ${assumed.size - 5} more` : '';
  cli.terminal.say(`assumed: 1s an attempt of ${names}${more}; --duration says it better`);
}
