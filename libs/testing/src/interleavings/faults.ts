import { unreachable } from '@runnel/core';
import type { Process } from './process.ts';
import type { ModelWorker, World } from './world.ts';

const faults = [
  'crash-before',
  'crash-before',
  'crash-after',
  'crash-after',
  'resend',
  'resend',
  'error',
  'freeze',
  'jump',
  'jump',
  'lease',
  'stall',
  'repeat',
  'drop',
  'stop',
] as const;

interface Ready {
  readonly process: Process;
  readonly connection: string;
}

/** What a fault can do. */
export interface FaultContext {
  readonly world: World;
  ready(): readonly Ready[];
  serve(ready: Ready, spoil?: 'lost' | 'error'): Promise<void>;
  kill(process: Process): void;
  /** Stops a worker in good order; another takes its place. */
  stop(worker: ModelWorker): void;
}

/** Lets the fault strike that a number chooses; says what it was. */
export async function drawFault(context: FaultContext, number: number): Promise<string> {
  const fault = faults[number % faults.length] ?? 'crash-before';
  const rest = Math.floor(number / faults.length);
  const { world } = context;
  switch (fault) {
    case 'crash-before':
    case 'freeze':
      return strikeProcess(context, fault, rest);
    case 'crash-after':
    case 'resend':
    case 'error':
      return await strikeOperation(context, fault, rest);
    case 'jump':
      world.nowMs += [3_000, 11_000, 61_000][rest % 3] ?? 0;
      return 'the clock jumps';
    case 'lease':
      world.listeners[rest % 2]?.leases.take();
      return `listener${rest % 2} takes the shard`;
    case 'stall': {
      const active = world.jobs.active();
      const job = active[rest % Math.max(1, active.length)];
      if (job !== undefined) world.jobs.stall(job);
      return `${job?.id ?? 'nothing'} stalls`;
    }
    case 'repeat':
      await world.repeatEntry(rest);
      return 'an entry comes again';
    case 'drop':
      world.jobs.drop(rest);
      return 'a job is dropped';
    case 'stop': {
      const worker = world.workers[rest % 2];
      if (worker === undefined || worker.process.isDead) return 'nobody is stopped';
      context.stop(worker);
      return `${worker.process.name} stops`;
    }
    default:
      throw unreachable(fault);
  }
}

function strikeProcess(
  context: FaultContext,
  fault: 'crash-before' | 'freeze',
  rest: number,
): string {
  const live = context.world.live();
  const process = live[rest % Math.max(1, live.length)];
  if (process === undefined) return 'nobody is struck';
  if (fault === 'freeze') process.isFrozen = true;
  else context.kill(process);
  return `${process.name}: ${fault}`;
}

async function strikeOperation(
  context: FaultContext,
  fault: 'crash-after' | 'resend' | 'error',
  rest: number,
): Promise<string> {
  // Starts and ends of tasks have no answer that could be lost.
  const ready = context.ready().filter(({ connection }) => !connection.startsWith('batch'));
  const chosen = ready[rest % Math.max(1, ready.length)];
  if (chosen === undefined) return 'nothing is struck';
  if (fault === 'resend') {
    await chosen.process.serveUnheard(chosen.connection, 1 + (rest % 3));
    return `${chosen.process.name}: what was sent on ${chosen.connection} is sent again`;
  }
  await context.serve(chosen, fault === 'error' ? 'error' : 'lost');
  if (fault === 'crash-after') context.kill(chosen.process);
  return fault;
}
