import { isFinalRunState, maxNodes, runStates } from '@runnel/core';
import { mostQueues } from '@runnel/store';
import { z } from 'zod';
import { RequestError } from '../request-error.ts';

/** An edit adds one. */
const mostRevisions = 9_999_999;

/** Fields without which nothing of a run can be read, and the most that each may be. */
const needed: readonly (readonly [string, number])[] = [
  ['created', 999_999_999_999_999],
  ['ended', 999_999_999_999_999],
  ['n', maxNodes],
  ['barriers', maxNodes],
  ['groups', maxNodes],
  ['queues', mostQueues],
];
/** What may be missing. */
const optional: readonly (readonly [string, number])[] = [
  ['started', 999_999_999_999_999],
  ['revision', mostRevisions],
  ['duplicates', 999_999_999_999_999],
];

/** As a spec may have. */
const tagsOf = z.record(z.string().min(1).max(100), z.string().max(500));
const mostTags = 100;
const mostNameLetters = 200;
const priorityOf = /^-?\d{1,6}$/;

/**
 * The record of a run that a bundle brings: of one that has ended, with what reading it needs. One that can't be
 * shown would break each list that it is in.
 *
 * @throws RequestError (400) with everything that is wrong.
 */
export function checkRecord(record: Readonly<Record<string, string>>): void {
  const problems = [
    ...needed.flatMap(([field, most]) => numberProblem(record, field, most)),
    ...optional.flatMap(([field, most]) =>
      record[field] === undefined ? [] : numberProblem(record, field, most),
    ),
    ...textProblems(record),
  ];
  const state = runStates.find((known) => known === record['state']);
  if (state === undefined || !isFinalRunState(state)) {
    problems.push('record.state: must be that of a run that has ended');
  }
  if (record['v'] !== '1') problems.push('record.v: must be 1');
  if (problems.length === 0) return;
  throw new RequestError(400, `line 1: ${problems.join('; ')}; nothing was stored`, {
    code: 'BUNDLE_INVALID',
  });
}

function numberProblem(
  record: Readonly<Record<string, string>>,
  field: string,
  most: number,
): readonly string[] {
  const text = record[field] ?? '';
  if (!/^\d{1,15}$/.test(text)) return [`record.${field}: must be a whole number`];
  return Number(text) > most ? [`record.${field}: must be at most ${most}`] : [];
}

function textProblems(record: Readonly<Record<string, string>>): readonly string[] {
  const problems: string[] = [];
  const { name = '', tags, priority } = record;
  if (name.length > mostNameLetters) {
    problems.push(`record.name: must have at most ${mostNameLetters} letters`);
  }
  if (tags !== undefined && !areTags(tags)) {
    problems.push(`record.tags: must be a JSON object of at most ${mostTags} tags with texts`);
  }
  if (priority !== undefined && !priorityOf.test(priority)) {
    problems.push('record.priority: must be a whole number');
  }
  return problems;
}

function areTags(text: string): boolean {
  try {
    return Object.keys(tagsOf.parse(JSON.parse(text))).length <= mostTags;
  } catch {
    return false;
  }
}

/** Counts of what is ready or on its way, by queue: taken off what others want slots for when the run goes. */
const unsettled = /^[ri]\d+$/;

/**
 * The record as it is stored here. The key of the request that made it, somewhere else, means nothing; a run
 * that has ended wants no slots.
 */
export function asStored(
  record: Readonly<Record<string, string>>,
  id: string,
): Readonly<Record<string, string>> {
  const kept = Object.entries(record).filter(([field]) => !unsettled.test(field));
  return { ...Object.fromEntries(kept), id, bodyHash: '' };
}
