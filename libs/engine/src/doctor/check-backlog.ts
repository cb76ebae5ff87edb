import type { Findings } from './finding.ts';
import { isRetrying, type RunLook } from './run-look.ts';

/** Entries of the backlog: well-formed, and of the same mind as the state bytes. */
export function checkBacklog(look: RunLook, findings: Findings): void {
  if (look.now.meta['halt'] !== undefined || isRetrying(look)) return;
  for (const { raw, entry } of look.backlog) {
    const mend = { by: 'drop-backlog', entry: raw } as const;
    if (entry === null) {
      findings.add('backlog-malformed', `an entry of ${raw.length} bytes`, { mend });
      continue;
    }
    if (!look.now.isExact) continue;
    const at = entry.ids.findIndex((id, index) => look.now.states[id] !== entry.codes[index]);
    if (at < 0) continue;
    const task = entry.ids[at] ?? 0;
    const detail = `it ended as ${entry.codes[at]}, its state byte is ${look.now.states[task]}`;
    findings.add('backlog-malformed', detail, { task, mend });
  }
}
