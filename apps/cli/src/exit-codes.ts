import { ApiError, UnreachableError } from '@runnel/client';
import { type FinalRunState, UserError, unreachable } from '@runnel/core';

/** What the command ends with. Part of its interface: docs/cli.md. */
export const exitCodes = {
  ok: 0,
  /** The run failed; or the command itself did, unexpectedly. */
  failed: 1,
  /** Wrong usage, a wrong spec, something that does not exist or can't be done. */
  usage: 2,
  /** The server, or its Redis, can't be reached. */
  unreachable: 3,
  cancelled: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong usage of the command: an option, an argument, a file that is not there. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** The parts of an embedded stack did not come up, or went away for good. */
export class StackError extends Error {
  override readonly name = 'StackError';
}

export function exitCodeOfRun(state: FinalRunState): ExitCode {
  switch (state) {
    case 'succeeded':
      return exitCodes.ok;
    case 'failed':
      return exitCodes.failed;
    case 'cancelled':
      return exitCodes.cancelled;
    default:
      throw unreachable(state);
  }
}

export function exitCodeOfError(error: unknown): ExitCode {
  if (error instanceof UnreachableError || error instanceof StackError) {
    return exitCodes.unreachable;
  }
  if (error instanceof ApiError) {
    // A 500 is a bug: trying again later, as with a server that is away, would not help.
    if (error.status === 500) return exitCodes.failed;
    return error.status > 500 ? exitCodes.unreachable : exitCodes.usage;
  }
  if (error instanceof UserError) return exitCodes.usage;
  return exitCodes.failed;
}
