import { constants } from 'node:os';
import { type AttemptResult, maxOutputBytes, unreachable } from '@runnel/core';
import { type OutcomeExtra, type OutcomeRecord, stateCode } from '@runnel/store';

/** Where and when an attempt ran. */
export interface AttemptPlace {
  readonly place: number;
  readonly attempt: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly worker: { readonly name: string; readonly number: number };
}

/** Messages of failures are kept up to here; the log has the rest. */
const maxMessage = 2_000;

/** What is reported of an ended attempt: 16 bytes, and JSON where there is an output or a failure. */
export function outcomeOf(
  at: AttemptPlace,
  result: AttemptResult,
): { readonly record: OutcomeRecord; readonly extra?: OutcomeExtra } {
  const { place, attempt, startMs, durationMs } = at;
  const base = { place, attempt, startMs, durationMs, worker: at.worker.number, signal: 0 };
  switch (result.outcome) {
    case 'cancelled':
      return { record: { ...base, code: stateCode.cancelled, exitCode: 0 } };
    case 'failed':
      return {
        record: {
          ...base,
          code: stateCode.failed,
          exitCode: result.exitCode ?? 0,
          signal: signalNumber(result.signal),
        },
        extra: { place, kind: 'failure', json: failureJson(at, result) },
      };
    case 'succeeded':
      return succeededOutcome(at, base, result);
    default:
      throw unreachable(result);
  }
}

function succeededOutcome(
  at: AttemptPlace,
  base: Omit<OutcomeRecord, 'code' | 'exitCode'>,
  result: Extract<AttemptResult, { outcome: 'succeeded' }>,
): { readonly record: OutcomeRecord; readonly extra?: OutcomeExtra } {
  const record = { ...base, code: stateCode.succeeded, exitCode: result.exitCode ?? 0 };
  if (result.output === undefined) return { record };
  const json = JSON.stringify(result.output);
  const bytes = Buffer.byteLength(json);
  if (bytes > maxOutputBytes) {
    const message = `the output has ${bytes} bytes; at most ${maxOutputBytes} are handed on: write a file and hand on its name`;
    return outcomeOf(at, { outcome: 'failed', reason: 'output-invalid', message });
  }
  return { record, extra: { place: at.place, kind: 'output', json } };
}

function failureJson(
  at: AttemptPlace,
  result: Extract<AttemptResult, { outcome: 'failed' }>,
): string {
  return JSON.stringify({
    reason: result.reason,
    message: result.message.slice(0, maxMessage),
    retryable: result.retryable ?? true,
    startMs: at.startMs,
    durationMs: at.durationMs,
    worker: at.worker.name,
    exitCode: result.exitCode,
    signal: result.signal,
  });
}

function signalNumber(name: string | undefined): number {
  const known = Object.entries(constants.signals).find(([signal]) => signal === name);
  return known?.[1] ?? 0;
}
