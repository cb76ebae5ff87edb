import { type RetryPolicy, retryDelayMs } from '@runnel/core';
import {
  decodeExtras,
  decodeOutcome,
  type NewOutcomeEntry,
  outcomeBytes,
  type RedisClient,
  type RunInfo,
  readBases,
  type Settlement,
  stateCode,
} from '@runnel/store';
import { z } from 'zod';

/** What a worker writes beside a failed outcome. */
export const failureExtra = z.object({
  reason: z.string(),
  retryable: z.boolean(),
  exitCode: z.number().optional(),
});

/** Random numbers and time are passed in: scripts have neither. */
export interface SettleContext {
  readonly redis: RedisClient;
  readonly now: number;
  random(): number;
}

/**
 * Decides for each failed outcome of an entry whether it is tried again, and when: a failed code
 * becomes `delayed` with its due time. Sent again, the script takes the first decision that it got.
 */
export async function prepareSettlement(
  entry: NewOutcomeEntry,
  info: RunInfo,
  context: SettleContext,
): Promise<Settlement> {
  const { carrier, token, extras } = entry;
  const count = Math.floor(entry.outcomes.length / outcomeBytes);
  const hasFailure = someCode(entry.outcomes, count, stateCode.failed);
  const plain = { carrier, token, outcomes: entry.outcomes, extras, dues: Buffer.alloc(0) };
  if (!hasFailure) return plain;

  const { retries } = await info.group(entry.group);
  if (retries.limit === 0) return plain;
  const bases = await basesOf(entry, info, context.redis);
  const failures = failuresByPlace(extras);
  const outcomes = Buffer.from(entry.outcomes);
  const dues = Buffer.alloc(count * 8);
  for (let index = 0; index < count; index++) {
    const outcome = decodeOutcome(outcomes, index * outcomeBytes);
    if (outcome.code !== stateCode.failed) continue;
    if (outcome.attempt >= mostAttempts) continue;
    // A task that was brought back has all its retries once more.
    const attempt = outcome.attempt - (bases[outcome.place] ?? 0);
    if (!mayRetry(retries, attempt, failures.get(outcome.place))) continue;
    outcomes.writeUInt8(stateCode.delayed, index * outcomeBytes + 3);
    const delay = retryDelayMs(retries, attempt, context.random());
    dues.writeDoubleLE(context.now + delay, index * 8);
  }
  return { carrier, token, outcomes, extras, dues };
}

/** An attempt's number is a byte. */
const mostAttempts = 255;

/** A first attempt was never brought back: nothing is read for it. */
async function basesOf(
  { carrier, outcomes }: NewOutcomeEntry,
  info: RunInfo,
  redis: RedisClient,
): Promise<readonly number[]> {
  for (let at = 0; at < outcomes.length; at += outcomeBytes) {
    const { code, attempt } = decodeOutcome(outcomes, at);
    if (code === stateCode.failed && attempt > 1) {
      return await readBases(redis, info.facts.handle, carrier);
    }
  }
  return [];
}

function someCode(outcomes: Buffer, count: number, code: number): boolean {
  for (let index = 0; index < count; index++) {
    if (outcomes[index * outcomeBytes + 3] === code) return true;
  }
  return false;
}

type FailureExtra = z.infer<typeof failureExtra>;

function failuresByPlace(extras: Buffer): ReadonlyMap<number, FailureExtra> {
  const failures = new Map<number, FailureExtra>();
  for (const { place, kind, json } of decodeExtras(extras)) {
    if (kind === 'failure') failures.set(place, failureExtra.parse(JSON.parse(json)));
  }
  return failures;
}

function mayRetry(
  policy: RetryPolicy,
  attempt: number,
  failure: FailureExtra | undefined,
): boolean {
  if (attempt > policy.limit || failure?.retryable === false) return false;
  if (policy.onExitCodes === null) return true;
  return failure?.exitCode !== undefined && policy.onExitCodes.includes(failure.exitCode);
}
