import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WireRun } from '@runnel/client';

/** Resolves when the run has ended; throws with what is known of it after the deadline. */
export async function waitForEnd(client: Client, id: string, withinMs = 60_000): Promise<WireRun> {
  return await waitFor(withinMs, async () => {
    const run = await client.getRun(id);
    return ['succeeded', 'failed', 'cancelled'].includes(run.state)
      ? { done: run }
      : { notYet: run };
  });
}

/** Looks again and again until `look` says that it is done. */
export async function waitFor<Found>(
  withinMs: number,
  look: () => Promise<{ readonly done: Found } | { readonly notYet: unknown }>,
): Promise<Found> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if ('done' in seen) return seen.done;
    if (performance.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${JSON.stringify(seen.notYet, null, 1)}`);
    }
    await sleep(50);
  }
}

/** Lines of a journal; none where nothing was written yet. */
export function readJournal(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
