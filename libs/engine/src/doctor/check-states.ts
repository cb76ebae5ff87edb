import { finalStateOf, stateCode } from '@runnel/store';
import type { Places } from './check-ready.ts';
import type { Findings } from './finding.ts';
import { isRetrying, type RunLook } from './run-look.ts';

/** State bytes that exist, tasks that a halt left behind, and an end that was missed. */
export function checkStates(look: RunLook, places: Places, findings: Findings): void {
  const { now, facts } = look;
  const { meta } = now;
  const isHalted = meta['halt'] !== undefined;
  const isPaged = isHalted && Number(meta['haltedNodes'] ?? 0) >= facts.nodeCount;
  let ended = 0;
  for (let node = 0; node < facts.nodeCount; node++) {
    const code = now.states[node] ?? 0;
    if (finalStateOf(code) !== undefined) {
      ended++;
      continue;
    }
    const word = look.words.readUInt32BE(node * 4);
    const mend = { by: 'task', id: node, state: code, word, newWord: word } as const;
    if (!isKnown(code, isHalted)) {
      const detail = `its state byte is ${code}`;
      findings.add('state-invalid', detail, { task: node, mend: { ...mend, verdict: 0 } });
    } else if (isPaged && now.isExact && places.open[node] === 0) {
      const verdict = stateCode.cancelled;
      findings.add('halt-lost', `its state byte is ${code}`, {
        task: node,
        mend: { ...mend, verdict },
      });
    }
  }
  const hasBacklog = now.backlog === null || now.backlog.length > 0 || isRetrying(look);
  if (meta['state'] !== 'running' || ended < facts.nodeCount || hasBacklog || !now.isExact) return;
  findings.add('end-missed', `${ended} of ${facts.nodeCount} nodes have ended`, {
    mend: { by: 'turn' },
  });
}

function isKnown(code: number, isHalted: boolean): boolean {
  return (
    code === stateCode.none ||
    code === stateCode.delayed ||
    (isHalted && code === stateCode.halting)
  );
}
