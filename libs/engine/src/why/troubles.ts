import { plural } from '@runnel/core';
import { readDeadOutcomes, readListeners } from '@runnel/store';
import type { RunGlance } from './look.ts';
import type { Reason } from './reason.ts';

/** A listener signs every second. */
const listenerGoneMs = 5_000;

/** What goes wrong around a run: told first where it touches the deliveries in question, else last. */
export async function explainTroubles(
  glance: RunGlance & { readonly task?: { readonly number: number } },
): Promise<{ readonly first: readonly Reason[]; readonly last: readonly Reason[] }> {
  const { context, info, moment, now, task } = glance;
  const { redis, namespace } = context;
  const [listeners, dead] = await Promise.all([
    readListeners(redis, namespace, now - listenerGoneMs),
    readDeadOutcomes(redis, namespace, info.facts.handle.id),
  ]);
  const carriers = new Set(
    moment.deliveries
      .filter(({ ids }) => task === undefined || ids.includes(task.number))
      .map(({ carrier }) => carrier),
  );
  const own = dead.filter(({ carrier }) => carriers.has(carrier));
  const older = dead.filter(({ carrier }) => !carriers.has(carrier));
  const first = own.slice(0, 1).map(({ entryId, reason, carrier }): Reason => {
    const detail = `outcomes of delivery ${carrier} could not be settled in five tries (entry ${entryId} of the dead letters: ${reason})`;
    return { code: 'dead-letter', detail, remedy: `its tasks start again; ${lookAtLog}` };
  });
  const last: Reason[] = [];
  const [newest] = older;
  if (newest !== undefined && task === undefined) {
    const detail = `${plural(older.length, 'entry', 'entries')} of its outcomes were put aside before (the newest: ${newest.entryId}: ${newest.reason})`;
    last.push({ code: 'dead-letter', detail, remedy: lookAtLog });
  }
  if (listeners.length === 0) {
    const detail = 'no listener gave a sign in the last 5 s';
    last.push({ code: 'listener-missing', detail, remedy: 'start a listener' });
  }
  return { first, last };
}

const lookAtLog = "the listener's log has the error";
