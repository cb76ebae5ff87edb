import { isFinalRunState, runStates } from '@runnel/core';
import { RequestError } from '../request-error.ts';

/** Fields without which nothing of a run can be read. */
const numbers = ['created', 'ended', 'n', 'barriers', 'groups', 'queues'] as const;
/** Ids have 24 bits. */
const mostNodes = 16_777_216;

/**
 * The record of a run that a bundle brings: of one that has ended, with what reading it needs.
 *
 * @throws RequestError (400) with everything that is wrong.
 */
export function checkRecord(record: Readonly<Record<string, string>>): void {
  const problems = numbers
    .filter((field) => !/^\d{1,15}$/.test(record[field] ?? ''))
    .map((field) => `record.${field}: must be a whole number`);
  const state = runStates.find((known) => known === record['state']);
  if (state === undefined || !isFinalRunState(state)) {
    problems.push('record.state: must be that of a run that has ended');
  }
  if (Number(record['n']) > mostNodes) problems.push(`record.n: must be at most ${mostNodes}`);
  if (record['v'] !== '1') problems.push('record.v: must be 1');
  if (problems.length === 0) return;
  throw new RequestError(400, `line 1: ${problems.join('; ')}; nothing was stored`, {
    code: 'BUNDLE_INVALID',
  });
}
