import { setImmediate } from 'node:timers/promises';
import { removeRun } from '../delete-run.ts';
import { PageWriter } from '../page-writer.ts';
import { type OpenRunHandle, runHandle, withQueues } from '../run-handle.ts';
import type { RunPart } from '../run-parts.ts';
import type { RedisClient } from '../script.ts';
import { createRun } from '../scripts.ts';

/**
 * What an edit writes beside the run, under an id of its own in the same slot. Nobody sees it before it is
 * swapped; what is never swapped goes as a submission that broke off.
 */
export interface Shadow {
  readonly run: OpenRunHandle;
  readonly pages: PageWriter;
}

/** @param token of the edit: another one writes under another id. */
export async function openShadow(
  redis: RedisClient,
  live: OpenRunHandle,
  {
    token,
    queues,
    now,
  }: { readonly token: string; readonly queues: readonly string[]; readonly now: number },
): Promise<Shadow> {
  const run = withQueues(runHandle(live.namespace, `${live.id}~${token}`), queues);
  const fields = ['queues', queues.length, ...queues.flatMap((name, queue) => [`q${queue}`, name])];
  await createRun.run(redis, run.keys, [run.id, now, token, '', ...fields]);
  return { run, pages: new PageWriter(redis, run, token) };
}

/** Removes what was written for an edit that was not begun; where this is cut off, the janitor does it. */
export async function dropShadow(redis: RedisClient, { run }: Shadow): Promise<void> {
  const until = Number.MAX_SAFE_INTEGER;
  await removeRun(redis, run.namespace, run.id, { set: 'submitting', until });
}

/** Others are served in between. */
const turnMs = 15;

export async function writeParts(
  { pages }: Shadow,
  parts: Iterable<RunPart | undefined>,
): Promise<void> {
  let turnEnds = performance.now() + turnMs;
  for (const part of parts) {
    if (part !== undefined) await pages.write(part);
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + turnMs;
  }
}
