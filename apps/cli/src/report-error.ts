import { ApiError, UnreachableError } from '@runnel/client';
import { UserError } from '@runnel/core';
import { type ExitCode, exitCodeOfError, StackError } from './exit-codes.ts';
import { InvalidSpecError } from './spec-problems.ts';
import type { Terminal } from './terminal.ts';

/** Tells an error on stderr and gives the exit code that belongs to it. */
export function reportError(error: unknown, terminal: Terminal): ExitCode {
  for (const line of describeError(error)) terminal.say(line);
  return exitCodeOfError(error);
}

/** What a person can act on; the stack only where it is a bug. */
export function describeError(error: unknown): readonly string[] {
  if (error instanceof InvalidSpecError) return error.message.split('\n');
  if (error instanceof ApiError) return describeApiError(error);
  if (error instanceof UnreachableError) {
    return [
      `runnel: ${error.message}`,
      '  is the server running, and is --url or RUNNEL_URL right?',
    ];
  }
  if (error instanceof UserError || error instanceof StackError)
    return [`runnel: ${error.message}`];
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`runnel: this should not have happened: ${text}`];
}

function describeApiError(error: ApiError): readonly string[] {
  const lines = [`runnel: ${error.message}`];
  if (error.status === 401) lines.push('  give the token with RUNNEL_TOKEN or --token');
  if (error.retryAfterMs !== null) lines.push(`  try again in ${error.retryAfterMs / 1000} s`);
  for (const issue of error.problem.errors ?? []) lines.push(`  ${issue.path}: ${issue.detail}`);
  return lines;
}
