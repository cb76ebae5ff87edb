import type { DeliveryEnd } from '@runnel/engine';
import type { JobEnd } from '@runnel/queue';

/** Bull Board shows so much of what a task wrote. */
const shownLogChars = 4_000;

/** What Bull Board shows of a delivery: a failed task as a failed job with its reason. */
export function toJobEnd(end: DeliveryEnd): JobEnd {
  if (end.kind === 'refused') return { kind: 'completed', result: { refused: end.why } };
  const result = end.only?.result;
  if (result?.outcome !== 'failed') return { kind: 'completed', result: end.counts };
  return { kind: 'failed', reason: `${result.reason}: ${result.message}` };
}

/** The tail of the log of a delivery's only task, empty where it wrote nothing. */
export function shownLog(end: DeliveryEnd): string {
  if (end.kind === 'refused') return '';
  return end.only?.logTail.slice(-shownLogChars) ?? '';
}
