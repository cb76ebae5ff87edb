import {
  edgeFlags,
  isDecided,
  type LaterEdges,
  type ParentBlock,
  type RedisClient,
  readLaterParents,
  readParentBlocks,
  stateCode,
  verdictOf,
} from '@runnel/store';
import type { Places } from './check-ready.ts';
import type { Findings } from './finding.ts';
import { isRetrying, type RunLook, seenCode, type Visited } from './run-look.ts';

/** The flag of a word that says so, whatever else it says. */
const released = 8;

/**
 * Tasks that have not ended, against their parents. A word counts down when an accepted end is visited,
 * and its flags tell what was seen. What had been visited before the words were read is the least
 * that a word must tell, what was visited afterwards the most: in a run that goes on both differ for
 * a few tasks, and for them nothing is claimed.
 *
 * Returns the tasks that have parents left for certain.
 */
export async function checkTasks(
  redis: RedisClient,
  look: RunLook,
  places: Places,
  findings: Findings,
): Promise<ReadonlySet<number>> {
  const early = new Set<number>();
  const { visitedBefore, visitedNow, now, facts } = look;
  const { handle, nodeCount } = facts;
  if (now.meta['halt'] !== undefined) return early;
  if (isRetrying(look)) {
    findings.unchecked.push(`run ${handle.id}: what its tasks wait for, since it is being retried`);
    return early;
  }
  if (visitedBefore === null || visitedNow === null) {
    findings.unchecked.push(`run ${handle.id}: what its tasks wait for, since its backlog is long`);
    return early;
  }
  if (hasGrown(look)) {
    findings.unchecked.push(`run ${handle.id}: what its tasks wait for, since tasks joined it`);
    return early;
  }
  const later = await readLaterParents(redis, handle);
  const known = { before: visitedBefore, now: visitedNow };
  const isWanted = (from: number, to: number): boolean =>
    now.states.subarray(from, to).some(isWaiting);
  for await (const block of readParentBlocks(redis, handle, nodeCount, isWanted)) {
    for (let node = block.from; node < block.to; node++) {
      if (!isWaiting(now.states[node])) continue;
      const tally = tallyOf(node, withLater(node, block, later), known);
      const isLeft = wasLeft(look, places, node);
      if (tally.isSure && !isDecided(tally.right) && !isLeft) early.add(node);
      checkTask(look, places, findings, { node, tally });
    }
  }
  return early;
}

/** Nothing tells that it has started; it may have a result that waits with it. */
function isWaiting(code: number | undefined): boolean {
  return code === stateCode.none || code === stateCode.reused;
}

/** Its tasks wait for others than they did when it was looked at first. */
function hasGrown({ facts, before, now }: RunLook): boolean {
  return [before, now].some(({ meta }) => Number(meta['shape'] ?? 0) !== facts.shape);
}

/** Packed edges to the parents of a node, with those that came after the run was sealed. */
function withLater(node: number, block: ParentBlock, later: LaterEdges): Uint32Array {
  const from = block.offsets[node - block.from] ?? 0;
  const own = block.edges.subarray(from, block.offsets[node - block.from + 1] ?? from);
  const more = later.get(node);
  return more === undefined ? own : Uint32Array.from([...own, ...more]);
}

/** A retry that set its parents back has left this task where it was: it may start, whatever they come to. */
function wasLeft({ now, words }: RunLook, places: Places, node: number): boolean {
  const isReleased = (words.readUInt8(node * 4) & released) !== 0;
  const isPlaced = (places.ready[node] ?? 0) + (places.open[node] ?? 0) > 0;
  return isReleased && isPlaced && now.meta['retryToken'] !== undefined;
}

function checkTask(
  look: RunLook,
  places: Places,
  findings: Findings,
  { node, tally }: Omit<Wrong, 'word'>,
): void {
  const word = look.words.readUInt32BE(node * 4);
  if (wasLeft(look, places, node)) return;
  if (isWrong(word, tally)) addWrong(look, places, findings, { node, word, tally });
  else if (isDecided(word)) addLost(look, places, findings, { node, word, tally });
}

/** What a word may tell: parents that are left, and flags. */
interface Tally {
  readonly least: { readonly left: number; readonly flags: number };
  readonly most: { readonly left: number; readonly flags: number };
  readonly rule: number;
  /** What the word should be, where nothing was visited meanwhile. */
  readonly right: number;
  readonly isSure: boolean;
}

function tallyOf(
  node: number,
  edges: Uint32Array,
  known: { readonly before: Visited; readonly now: Visited },
): Tally {
  const least = { left: edges.length, flags: 0 };
  const most = { left: edges.length, flags: 0 };
  // Without parents nothing speaks against running.
  let rule = 0;
  for (const edge of edges) {
    const parent = edge & 0xff_ff_ff;
    const condition = edge >>> 24;
    rule = condition >>> 2;
    const before = seenCode(known.before, parent, node);
    const now = seenCode(known.now, parent, node);
    if (before !== 0) {
      least.left--;
      least.flags |= edgeFlags(condition, before);
    }
    if (now !== 0) {
      most.left--;
      most.flags |= edgeFlags(condition, now);
    }
  }
  const isSure = least.left === most.left && least.flags === most.flags;
  return { least, most, rule, isSure, right: ((most.flags << 24) | most.left) >>> 0 };
}

function isWrong(word: number, { least, most }: Tally): boolean {
  const left = word & 0xff_ff_ff;
  const flags = word >>> 24;
  if (left > least.left || left < most.left) return true;
  return (flags & least.flags) !== least.flags || (flags & ~most.flags) !== 0;
}

interface Wrong {
  readonly node: number;
  readonly word: number;
  readonly tally: Tally;
}

function addWrong(
  look: RunLook,
  places: Places,
  findings: Findings,
  { node, word, tally }: Wrong,
): void {
  const { most, rule, isSure, right: newWord } = tally;
  const isPlaced = (places.ready[node] ?? 0) + (places.open[node] ?? 0) > 0;
  // One that has no place and may start gets one, and one that its parents have ended for ends.
  const verdict = isPlaced ? 0 : (verdictOf(rule, newWord) ?? 0);
  // The difference stays what it is while the run goes on.
  const off = (word & 0xff_ff_ff) - most.left;
  const sign = off < 0 ? 'fewer' : 'more';
  const flags = (word ^ newWord) >>> 24;
  const detail = `it waits for ${Math.abs(off)} parents ${sign} than are left, and flags ${flags} are wrong`;
  const state = look.now.states[node] ?? 0;
  findings.add('waiting-wrong', detail, {
    task: node,
    mend: isSure ? { by: 'task', id: node, state, word, newWord, verdict } : null,
  });
}

/** Decided before the states were read, and nowhere then. */
function addLost(
  look: RunLook,
  places: Places,
  findings: Findings,
  { node, word, tally }: Wrong,
): void {
  const isPlaced = (places.ready[node] ?? 0) + (places.open[node] ?? 0) > 0;
  if (isPlaced || !look.now.isExact) return;
  const state = look.now.states[node] ?? 0;
  const verdict = verdictOf(tally.rule, word) ?? 0;
  findings.add('task-lost', verdict === stateCode.succeeded ? 'it could start' : 'it has ended', {
    task: node,
    mend: { by: 'task', id: node, state, word, newWord: word, verdict },
  });
}
