import { access } from 'node:fs/promises';
import type { AttemptFailed } from '@runnel/core';
import type { NotStarted, ProcessRequest } from './process-starter.ts';

/** Where another try can help: the system was short of processes, memory or open files. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY']);

/** A command that did not start, told so that its author can put it right. */
export async function describeSpawnFailure(
  failure: NotStarted,
  request: ProcessRequest,
): Promise<AttemptFailed> {
  return {
    outcome: 'failed',
    reason: 'spawn-error',
    message: await explain(failure, request),
    retryable: passing.has(failure.code),
  };
}

async function explain(failure: NotStarted, request: ProcessRequest): Promise<string> {
  const [program = ''] = request.argv;
  switch (failure.code) {
    case 'ENOENT':
      return explainMissing(program, request);
    case 'EACCES':
      return `"${program}" can not be executed (EACCES): it is not executable for this worker (chmod +x), or a directory`;
    case 'E2BIG':
      return `the command is too long for this system (E2BIG): ${countBytes(request)} bytes of words and environment; pass large data by stdin or a file`;
    case 'ENOEXEC':
      return `"${program}" is not a program for this machine (ENOEXEC)`;
    default:
      return `"${program}" did not start (${failure.code}): ${failure.message}`;
  }
}

async function explainMissing(program: string, request: ProcessRequest): Promise<string> {
  if (!program.includes('/')) {
    const { PATH: path = '' } = request.environment;
    return `"${program}" was not found (ENOENT) in PATH=${path}; install it on the worker, give its full path, or set PATH in details.environment`;
  }
  const exists = await access(program).then(
    () => true,
    () => false,
  );
  if (exists) return `"${program}" is there, but the interpreter in its first line is not (ENOENT)`;
  return `"${program}" does not exist on this worker (ENOENT)`;
}

function countBytes(request: ProcessRequest): number {
  const texts = [...request.argv, ...Object.entries(request.environment).flat()];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}
