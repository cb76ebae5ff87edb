import { finalStateOf, stateCode } from '@runnel/store';
import type { Places } from './check-ready.ts';
import type { FindingKind, Findings } from './finding.ts';
import { isCancelling, isRetrying, type RunLook } from './run-look.ts';

/** State bytes that exist, tasks that a halt or a cancel left behind, and an end that was missed. */
export function checkStates(look: RunLook, places: Places, findings: Findings): void {
  const { now, facts } = look;
  const { meta } = now;
  const isHalted = meta['halt'] !== undefined;
  const judge = isHalted ? judgeHalted(look, places) : judgeOpen(look, places);
  let ended = 0;
  for (let node = 0; node < facts.nodeCount; node++) {
    const code = now.states[node] ?? 0;
    if (finalStateOf(code) !== undefined) {
      ended++;
      continue;
    }
    const kind = judge(node, code);
    if (kind === null) continue;
    const word = look.words.readUInt32BE(node * 4);
    const verdict = kind === 'state-invalid' ? 0 : stateCode.cancelled;
    findings.add(kind, `its state byte is ${code}`, {
      task: node,
      mend: { by: 'task', id: node, state: code, word, newWord: word, verdict },
    });
  }
  const hasBacklog = now.backlog === null || now.backlog.length > 0;
  const isPaging = isRetrying(look) || isCancelling(look);
  if (meta['state'] !== 'running' || ended < facts.nodeCount || !now.isExact) return;
  if (hasBacklog || isPaging) return;
  findings.add('end-missed', `${ended} of ${facts.nodeCount} nodes have ended`, {
    mend: { by: 'turn' },
  });
}

/** What is wrong with the state byte of a task that has not ended; null: nothing. */
type Judge = (node: number, code: number) => FindingKind | null;

function judgeHalted({ now, facts }: RunLook, places: Places): Judge {
  const isPaged = Number(now.meta['haltedNodes'] ?? 0) >= facts.nodeCount;
  return (node, code) => {
    if (!isUnmarked(code) && !isMarked(code)) return 'state-invalid';
    return isPaged && now.isExact && places.open[node] === 0 ? 'halt-lost' : null;
  };
}

/** What was marked is open in a delivery once the pages of its cancel have come to their end. */
function judgeOpen(look: RunLook, places: Places): Judge {
  const canTell = look.now.isExact && !isCancelling(look);
  return (node, code) => {
    if (isUnmarked(code)) return null;
    if (!isMarked(code)) return 'state-invalid';
    return canTell && places.open[node] === 0 ? 'cancel-lost' : null;
  };
}

function isUnmarked(code: number): boolean {
  return code === stateCode.none || code === stateCode.delayed || code === stateCode.reused;
}

function isMarked(code: number): boolean {
  return code === stateCode.halting || code === stateCode.cancelling;
}
