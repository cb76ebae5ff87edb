/**
 * Crash points of the protocol. Each has a name that a test arms by `RUNNEL_FAILPOINTS`, such as
 * `settle.before-ack=crash@3` (the third time), several separated by commas. Not armed, a hit costs
 * one read of an empty map.
 *
 * - `crash`: the process kills itself with SIGKILL.
 * - `pause:500`: it waits 500 ms there.
 * - `error`: it throws.
 * - `lose-reply`: only behind a write: it throws what a connection throws that broke before the reply came.
 */
export const failpointNames = [
  'submit.before-create',
  'submit.after-create',
  'submit.before-page',
  'submit.after-page',
  'submit.before-seal',
  'submit.after-seal-page',
  'submit.after-seal',
  'start.before',
  'start.after',
  'claim.before',
  'claim.after',
  'execute.before-report',
  'report.before-append',
  'report.after-append',
  'return.before',
  'return.after',
  'settle.before',
  'settle.after',
  'turn.before',
  'turn.after',
  'outbox.before-add',
  'outbox.after-add',
  'outbox.after-clear',
  'ack.before',
  'ack.after',
  'bury.before',
  'bury.after',
  'times.before-release',
  'times.after-release',
  'lost.before-reissue',
  'lost.after-reissue',
  'cancel.before',
  'cancel.after-first-page',
  'cancel.after-tell',
  'pause.before',
  'pause.after-flag',
  'pause.after-tell',
  'resume.before',
  'resume.after',
  'retry.before-begin',
  'retry.after-begin',
  'retry.before-page',
  'retry.after-page',
  'part-cancel.before-begin',
  'part-cancel.after-begin',
  'part-cancel.before-page',
  'part-cancel.after-page',
  'part-pause.before',
  'part-pause.after',
  'part-pause.after-tell',
  'append.before',
  'append.after-page',
  'append.after-wipe',
  'append.after-carry',
  'append.before-show',
  'append.after-show',
  'edit.after-parts',
  'edit.after-begin',
  'edit.before-swap',
  'edit.after-swap',
  'edit.after-page',
  'edit.before-thaw',
  'edit.after-thaw',
  'halt.before-page',
  'halt.after-page',
  'archive.before-copy',
  'archive.after-part',
  'archive.before-seal',
  'archive.after-seal',
  'take-back.before-create',
  'take-back.after-create',
  'take-back.before-open',
  'take-back.after-open',
  'take-back.after-keep',
  'hook.before-post',
  'hook.after-post',
  'hook.after-move',
  'remove.before',
  'remove.after',
  'number.after-count',
] as const;
export type Failpoint = (typeof failpointNames)[number];

interface Armed {
  readonly action: 'crash' | 'pause' | 'error' | 'lose-reply';
  readonly pauseMs: number;
  readonly at: number;
  hits: number;
}

// The one place with state of a module: points are everywhere, and armed once at the start.
const armed = new Map<string, Armed>();

/** Arms what the setting names; throws for a name or an action that does not exist. */
export function armFailpoints(setting: string | undefined): void {
  armed.clear();
  for (const part of (setting ?? '').split(',').filter(Boolean)) {
    const match = /^([\w.-]+)=(crash|error|lose-reply|pause:(\d+))(?:@(\d+))?$/.exec(part.trim());
    const name = failpointNames.find((known) => known === match?.[1]);
    if (match === null || name === undefined) {
      throw new Error(
        `RUNNEL_FAILPOINTS: "${part}" is not <name>=crash|error|lose-reply|pause:<ms>[@<hit>] with one of ${failpointNames.join(', ')}`,
      );
    }
    const action = actionOf(match[2] ?? '');
    if (action === 'lose-reply' && !name.includes('.after')) {
      throw new Error(`RUNNEL_FAILPOINTS: "${part}": no reply can be lost before a write`);
    }
    armed.set(name, { action, pauseMs: Number(match[3] ?? 0), at: Number(match[4] ?? 1), hits: 0 });
  }
}

/** What an armed point throws. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError';
}

/** Passes a crash point. */
export async function failpoint(name: Failpoint): Promise<void> {
  if (armed.size === 0) return;
  const point = armed.get(name);
  if (point === undefined) return;
  point.hits++;
  if (point.hits !== point.at) return;
  if (point.action === 'pause') {
    await new Promise((resume) => setTimeout(resume, point.pauseMs));
    return;
  }
  if (point.action === 'error') throw new FailpointError(`failpoint ${name}`);
  // The words of ioredis: some callers tell an outage from a fault by them.
  if (point.action === 'lose-reply') throw new Error('Connection is closed.');
  process.kill(process.pid, 'SIGKILL');
}

function actionOf(text: string): Armed['action'] {
  if (text.startsWith('pause')) return 'pause';
  return text === 'crash' || text === 'lose-reply' ? text : 'error';
}
