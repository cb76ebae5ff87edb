import { isFinalRunState, isFinalTaskState, type RunState, type TaskState } from '@runnel/core';
import { type RunInfo, readRun } from '@runnel/store';
import { explainDelayed } from './delayed.ts';
import { explainDelivery } from './delivery.ts';
import { explainEnd } from './ended.ts';
import { type Look, lookAtTask, type WhyContext } from './look.ts';
import { explainPart } from './parts.ts';
import { explainReady } from './ready.ts';
import type { Reason } from './reason.ts';
import { explainRun } from './run.ts';
import { explainRunEnd } from './run-end.ts';
import { explainHolds } from './run-state.ts';
import { explainSubmission } from './submission.ts';
import { explainTroubles } from './troubles.ts';
import { explainWaiting } from './waiting.ts';

/** What a run or a task waits for, or why it ended as it did. */
export interface Why {
  readonly subject: {
    readonly run: string;
    readonly task?: { readonly number: number; readonly id: string };
  };
  readonly state: RunState | TaskState;
  /** One sentence: the first reason. */
  readonly summary: string;
  /** What matters most comes first. */
  readonly reasons: readonly Reason[];
}

/** Throws NotFoundError where there is no such run; `open` reads its kept parts. */
export async function whyRun(
  context: WhyContext,
  id: string,
  open: (run: Awaited<ReturnType<typeof readRun>>) => Promise<RunInfo>,
): Promise<Why> {
  const run = await readRun(context.redis, context.namespace, id);
  const { state } = run;
  const subject = { run: id };
  const answer = (reasons: readonly Reason[]): Why => ({
    ...{ subject, state, reasons },
    summary: summarize(`run ${id}`, state, reasons),
  });
  // Of a run that is being submitted nothing else can be read.
  if (state === 'submitting') return answer(await explainSubmission(context, id));
  const info = await open(run);
  if (isFinalRunState(state)) return answer(await explainRunEnd(context, info, run));
  return answer(await explainRun(context, info, run));
}

/** The same for one task of a run that is sealed. */
export async function whyTask(context: WhyContext, info: RunInfo, number: number): Promise<Why> {
  const look = await lookAtTask(context, info, number);
  const { state, task } = look;
  const reasons = isFinalTaskState(state) ? await explainEnd(look) : await explainOpen(look);
  return {
    subject: { run: info.facts.handle.id, task: { number, id: task.id } },
    ...{ state, reasons },
    summary: summarize(`task ${task.id}`, state, reasons),
  };
}

/** What holds the whole run up comes before what the task itself waits for. */
async function explainOpen(look: Look): Promise<readonly Reason[]> {
  const holds = explainHolds(look);
  const [part, own, troubles] = await Promise.all([
    explainPart(look),
    explainState(look),
    explainTroubles(look),
  ]);
  // Nothing else would keep a ready task that is paused.
  const rest = part.length > 0 && look.state === 'ready' ? [] : own;
  return [...troubles.first, ...holds, ...part, ...rest, ...troubles.last];
}

async function explainState(look: Look): Promise<readonly Reason[]> {
  switch (look.state) {
    case 'waiting':
      return await explainWaiting(look);
    case 'ready':
      return await explainReady(look);
    case 'queued':
    case 'running':
      return await explainDelivery(look);
    case 'delayed':
      return await explainDelayed(look);
    case 'suspended':
      return [{ code: 'suspended', detail: 'it waits for a message, a time or an approval' }];
    default:
      return [];
  }
}

function summarize(subject: string, state: string, reasons: readonly Reason[]): string {
  const [first] = reasons;
  return first === undefined ? `${subject} is ${state}` : `${subject} is ${state}: ${first.detail}`;
}
