import type { Findings } from './finding.ts';
import type { RunLook } from './run-look.ts';

/** The owner of the shard moves what is left in an outbox every 2 s. */
const lateMs = 2_000;

/** Entries of the outbox: of deliveries that exist, and not old. */
export function checkOutbox({ now, nowMs }: RunLook, findings: Findings): void {
  for (const { carrier, at } of now.outbox) {
    if (!now.deliveries.has(carrier)) {
      findings.add('outbox-stale', 'there is no such delivery', {
        carrier,
        mend: { by: 'drop-outbox', carrier },
      });
    } else if (nowMs - at > lateMs && now.meta['state'] === 'running') {
      const since = new Date(at).toISOString();
      findings.add('outbox-late', `since ${since}`, {
        carrier,
        mend: { by: 'move-outbox', carrier },
      });
    }
  }
}
