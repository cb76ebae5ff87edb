import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LogWriter } from '@runnel/core';
import { type HostEnd, type HostHandle, type HostObserver, tell } from './host-handle.ts';
import { type HostOptions, hostEnvironment } from './host-options.ts';
import { decodeRecords, encodeRequest, type HostRequest } from './protocol.ts';

/** How long what a dead process wrote may still come: others may hold its pipes. */
const drainMs = 500;

/** Starts a process that can run functions, for a task that took its worker down before. */
export function startProcess(options: HostOptions, log: LogWriter): HostHandle {
  const child = fork(fileURLToPath(new URL('./host-main.ts', import.meta.url)), options.modules, {
    env: hostEnvironment(options),
    execArgv: [],
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let observer: HostObserver | null = null;
  let isReady = false;
  child.on('message', (joined) => {
    isReady = true;
    for (const record of decodeRecords(String(joined))) if (observer) tell(observer, record);
  });
  // What the platform itself says at a crash; what the function writes comes as records.
  for (const pipe of [child.stdout, child.stderr]) {
    pipe?.on('data', (chunk: Buffer) => log.write(chunk));
  }
  const kill = (): void => killGroup(child.pid);
  process.once('exit', kill);

  const ended = Promise.withResolvers<HostEnd>();
  let finished = false;
  const finish = (end: HostEnd): void => {
    if (finished) return;
    finished = true;
    process.off('exit', kill);
    observer?.lose(end);
    ended.resolve(end);
  };
  child.on('error', (error) => finish({ message: `no process for it: ${error.message}` }));
  child.on('exit', (code, signal) => {
    kill();
    const end = describeExit(code, signal);
    child.on('close', () => finish(end));
    setTimeout(() => finish(end), drainMs).unref();
  });
  // The error, if it is gone already, is told by its exit.
  const send = (request: HostRequest) => child.send(encodeRequest(request), () => undefined);
  return {
    get isReady() {
      return isReady;
    },
    attach: (next) => {
      observer = next;
    },
    run: send,
    abort: (position) => send({ kind: 'abort', position }),
    answerSecret: (call, answer) => send({ kind: 'secret', call, ...answer }),
    poll: () => undefined,
    ended: ended.promise,
    terminate: kill,
  };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): HostEnd {
  if (signal === null) return { message: `the function's process ended (exit code ${code})` };
  return { message: `the function's process was killed by ${signal}`, signal };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody of the group is left.
  }
}
