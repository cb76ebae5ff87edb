import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRedisAnswering, type ProbedRedis } from './redis-probe.ts';

/** A Redis server that this process started and that ends with it. */
export interface RedisProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Lines of redis.conf; these two are needed to ask the server whether it is ready. */
export interface RedisConfig {
  readonly [name: string]: string;
  readonly port: string;
  readonly requirepass: string;
}

export type StartResult =
  | { readonly kind: 'started'; readonly redis: RedisProcess }
  | { readonly kind: 'failed'; readonly portTaken: boolean; readonly output: string };

/** Loading a large append-only file takes a while: about 1 GB in 10 s. */
const readyWithinMs = 120_000;

/** After a TERM Redis writes out its append-only file; longer than this it hangs. */
const stopWithinMs = 10_000;

/** Enough for the reason why a server did not start. */
const keptOutput = 4_000;

/**
 * Starts a server with the given configuration (which has `port` and `requirepass`) and waits until it
 * answers.
 *
 * The server sits in a process group of its own, so that a Ctrl-C in the terminal reaches only us and
 * we can close in order. That it still ends with us, even after a SIGKILL, is the watchdog's doing: a
 * shell that waits for the end of a pipe which only we hold, and then terminates the server.
 */
export async function spawnRedis(server: string, config: RedisConfig): Promise<StartResult> {
  const child = spawn(server, ['-'], { detached: true, stdio: 'pipe' });
  const output = collectOutput(child);
  const exited = once(child, 'exit').then(
    () => 'exited' as const,
    (error: unknown) => output.add(`${String(error)}\n`),
  );
  const { pid } = child;
  if (pid === undefined) {
    await exited;
    return { kind: 'failed', portTaken: false, output: output.text() };
  }
  const watchdog = startWatchdog(pid);
  child.once('exit', () => watchdog.kill('SIGKILL'));
  // On standard input, so that the password is in no list of processes.
  child.stdin.on('error', () => undefined).end(toConfigFile(config));
  releaseEventLoop(child);

  const port = Number(config.port);
  const isReady = await waitUntilReady(child, exited, { port, password: config.requirepass, pid });
  if (isReady) return { kind: 'started', redis: { pid, port, stop: () => stop(child, exited) } };
  await stop(child, exited);
  const text = output.text();
  return { kind: 'failed', portTaken: /Address already in use/.test(text), output: text };
}

function startWatchdog(pid: number): ChildProcess {
  const script = `read -r _; kill ${pid}`;
  const watchdog = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.stdin?.on('error', () => undefined);
  releaseEventLoop(watchdog);
  return watchdog;
}

/** Neither process nor pipe keeps ours from ending; when it ends, the watchdog sees it. */
function releaseEventLoop(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) {
    if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  }
}

function collectOutput(child: ChildProcess) {
  let text = '';
  const add = (chunk: unknown): void => {
    text = `${text}${String(chunk)}`.slice(-keptOutput);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return { add, text: () => text };
}

async function waitUntilReady(
  child: ChildProcess,
  exited: Promise<unknown>,
  probed: ProbedRedis,
): Promise<boolean> {
  const giveUpAt = performance.now() + readyWithinMs;
  while (child.exitCode === null && child.signalCode === null && performance.now() < giveUpAt) {
    // Whoever else holds the port may never answer, so the server's end is watched as well.
    const isReady = await Promise.race([isRedisAnswering(probed), exited.then(() => false)]);
    if (isReady) return true;
    await sleep(20);
  }
  return false;
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}

/** redis.conf reads values in double quotes with the escapes that JSON has. */
function toConfigFile(config: RedisConfig): string {
  return Object.entries(config)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}\n`)
    .join('');
}
