import { flushCompileCache } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { AttemptAbort, type AttemptResult } from '@runnel/core';
import { type BatchRequest, decodeBatch, type HostTask } from './batch-request.ts';
import { type CallChannel, CallContext } from './call-context.ts';
import { callFunction } from './call-function.ts';
import { type LoadedFunctions, loadFunctions } from './load-functions.ts';
import { encodeRecord, type HostRequest, succeeded } from './protocol.ts';
import { SecretCalls } from './secret-calls.ts';

/** How a host reaches the main thread. */
export interface HostChannel {
  /** The task succeeded without output. Soon seen by the main thread, also while this one is busy. */
  end(position: number, durationMs: number): void;
  /** Seen as soon. */
  write(record: string): void;
  /** Seen at once. */
  post(record: string): void;
  onRequest(receive: (request: HostRequest) => void): void;
}

/**
 * How long tasks may follow one another without a look at the requests that came meanwhile. Looking costs as much as
 * some ten trivial functions.
 */
const lookEveryMs = 5;

/** The side that runs users' code: the same in a thread and in a process. */
export async function serveFunctions(
  channel: HostChannel,
  modules: readonly string[],
): Promise<void> {
  const functions = await loadFunctions(modules);
  const host = new Host(channel, functions);
  redirectOutput((text) => host.log(text));
  channel.onRequest((request) => host.receive(request));
  // Else it is written when the host ends, too late for those that are started meanwhile.
  flushCompileCache();
  channel.post(encodeRecord(['ready']));
}

class Host implements CallChannel {
  readonly #channel: HostChannel;
  readonly #functions: LoadedFunctions;
  readonly #secrets = new SecretCalls();
  #current: CallContext | null = null;
  #givenUp = false;

  constructor(channel: HostChannel, functions: LoadedFunctions) {
    this.#channel = channel;
    this.#functions = functions;
  }

  /** What is written outside of a task, while a module is imported or by a timer left behind, belongs to nobody. */
  log(text: string): void {
    this.#current?.write(text);
  }

  receive(request: HostRequest): void {
    if (request.kind === 'run') {
      this.#runAll(request).catch((error: unknown) => {
        // A bug of ours: ends the host with its cause, which is then the running task's failure.
        process.nextTick(() => {
          throw error;
        });
      });
      return;
    }
    if (request.kind === 'secret') {
      this.#secrets.answer(request.call, request);
      return;
    }
    const { position } = request;
    if (position === null) this.#givenUp = true;
    if (position === null || position === this.#current?.position) {
      this.#current?.abort(new AttemptAbort(position === null ? 'cancel' : 'timeout'));
    }
  }

  async #runAll(request: BatchRequest): Promise<void> {
    this.#givenUp = false;
    const tasks = decodeBatch(request);
    let startedAt = performance.now();
    let lookedAt = startedAt;
    for (const task of tasks) {
      if (this.#givenUp) break;
      const result = await this.#runOne(task);
      const endedAt = performance.now();
      this.#end(task.position, endedAt - startedAt, result);
      startedAt = endedAt;
      // After the last one, the main thread is told before.
      if (endedAt - lookedAt > lookEveryMs && task.position < tasks.length - 1) {
        await setImmediate();
        startedAt = performance.now();
        lookedAt = startedAt;
      }
    }
    this.#channel.post(encodeRecord(['idle']));
  }

  async #runOne(task: HostTask): Promise<AttemptResult> {
    const called = this.#functions.find(task.name);
    if (called === undefined) {
      const message = this.#functions.describeMissing(task.name);
      return { outcome: 'failed', reason: 'spawn-error', message, retryable: false };
    }
    const context = new CallContext(task, this);
    this.#current = context;
    const result = await callFunction(called, task, context);
    this.#current = null;
    context.end();
    this.#secrets.forget();
    return result;
  }

  sendLog(position: number, text: string): void {
    this.#channel.write(encodeRecord(['log', position, text]));
  }

  /** Asked at once: the function waits. */
  askSecret(position: number, name: string): Promise<string> {
    return this.#secrets.ask((call) =>
      this.#channel.post(encodeRecord(['secret', position, call, name])),
    );
  }

  #end(position: number, durationMs: number, result: AttemptResult): void {
    if (result === succeeded) {
      this.#channel.end(position, durationMs);
      return;
    }
    const micros = toMicros(durationMs);
    if (result.outcome === 'succeeded' && result.output !== undefined) {
      this.#channel.write(encodeRecord(['output', position, micros, result.output]));
    } else {
      this.#channel.write(encodeRecord(['end', position, micros, result]));
    }
  }
}

/** Fewer digits to write and to read. */
function toMicros(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** console.log and process.stdout of a function go to its task's log. */
function redirectOutput(log: (text: string) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      log(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      for (const done of rest) if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
  }
}
