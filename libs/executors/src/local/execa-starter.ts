import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { LogWriter } from '@runnel/core';
import { execa } from 'execa';
import {
  drainMs,
  killGroup,
  type NotStarted,
  type ProcessEnd,
  type ProcessRequest,
  type ProcessStarter,
  type StartedProcess,
} from './process-starter.ts';

/**
 * Starts each command through execa. Its promise is not waited for: it ends with the last holder of the pipes, which
 * may be a grandchild that lives for hours. What counts here is the leader's own end.
 */
export function createExecaStarter(): ProcessStarter {
  const groups = new Set<number>();
  const killGroups = (): void => {
    for (const pid of groups) killGroup(pid, 'SIGKILL');
  };
  // A worker that dies of an exception has no time for anything else.
  process.on('exit', killGroups);
  return {
    start: (request) => start(request, groups),
    [Symbol.asyncDispose]: async () => {
      process.off('exit', killGroups);
      killGroups();
    },
  };
}

async function start(
  request: ProcessRequest,
  groups: Set<number>,
): Promise<StartedProcess | NotStarted> {
  const [file = '', ...words] = request.argv;
  const subprocess = execa(file, words, {
    cwd: request.cwd,
    env: request.environment,
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    encoding: 'buffer',
    stdin: request.stdin === null ? 'ignore' : Buffer.from(request.stdin),
  });
  const { pid } = subprocess;
  if (pid === undefined) {
    const result = await subprocess;
    return {
      kind: 'not-started',
      code: result.code ?? 'UNKNOWN',
      message: result.originalMessage ?? result.shortMessage ?? 'the process did not start',
    };
  }

  groups.add(pid);
  const child = subprocess.nodeChildProcess;
  const leader = Promise.withResolvers<ProcessEnd>();
  child.once('exit', (exitCode, signal) =>
    leader.resolve({ exitCode, signal, cpuMs: null, maxRssBytes: null }),
  );
  const pipes = [subprocess.stdout, subprocess.stderr].filter((pipe) => pipe !== null);
  const copied = Promise.all(pipes.map((pipe, source) => copy(pipe, request.log, source)));
  const finish = async (): Promise<ProcessEnd> => {
    const end = await leader.promise;
    await waitAtMost(copied, drainMs);
    killGroup(pid, 'SIGKILL');
    await waitAtMost(copied, drainMs);
    groups.delete(pid);
    for (const pipe of pipes) pipe.destroy();
    return end;
  };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    kind: 'started',
    pid,
    ended: finish(),
    signalGroup: (signal) => !hasEnded() && killGroup(pid, signal),
  };
}

/** Moves a pipe's bytes into the log and stops reading while the log can't follow. */
async function copy(pipe: Readable, log: LogWriter, source: number): Promise<void> {
  try {
    for await (const chunk of pipe) {
      if (!log.write(chunk, source)) await log.drained();
    }
  } catch {
    // The pipe was given up after the leader's end: nothing more is read from it.
  }
}

async function waitAtMost(done: Promise<unknown>, limitMs: number): Promise<void> {
  const timer = new AbortController();
  const limit = setTimeout(limitMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([done, limit]);
  timer.abort();
}
