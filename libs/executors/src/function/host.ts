import { setImmediate } from 'node:timers/promises';
import { AttemptAbort, type AttemptResult } from '@runnel/core';
import { CallContext } from './call-context.ts';
import { callFunction } from './call-function.ts';
import { type LoadedFunctions, loadFunctions } from './load-functions.ts';
import {
  decodeRequest,
  encodeRecord,
  type HostRecord,
  type HostRequest,
  type HostTask,
} from './protocol.ts';

/** How a host reaches the main thread. */
export interface HostChannel {
  /** Soon seen by the main thread, also while this one is busy. */
  write(record: string): void;
  /** Seen at once. */
  post(record: string): void;
  onRequest(receive: (text: string) => void): void;
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
  channel.onRequest((text) => host.receive(decodeRequest(text)));
  channel.post(encodeRecord(['ready']));
}

class Host {
  readonly #channel: HostChannel;
  readonly #functions: LoadedFunctions;
  #current: CallContext | null = null;
  #givenUp = false;

  constructor(channel: HostChannel, functions: LoadedFunctions) {
    this.#channel = channel;
    this.#functions = functions;
  }

  /** What is written outside of a task, while a module is imported or by a timer left behind, belongs to nobody. */
  log(text: string): void {
    this.#current?.log(text);
  }

  receive(request: HostRequest): void {
    if (request.kind === 'run') {
      this.#runAll(request.tasks).catch((error: unknown) => {
        // A bug of ours: ends the host with its cause, which is then the running task's failure.
        process.nextTick(() => {
          throw error;
        });
      });
      return;
    }
    if (request.index === null) this.#givenUp = true;
    if (request.index === null || request.index === this.#current?.index) {
      this.#current?.abort(new AttemptAbort(request.index === null ? 'cancel' : 'timeout'));
    }
  }

  async #runAll(tasks: readonly HostTask[]): Promise<void> {
    this.#givenUp = false;
    let lookedAt = performance.now();
    for (const task of tasks) {
      if (this.#givenUp) break;
      const startedAt = performance.now();
      const result = await this.#runOne(task);
      const endedAt = performance.now();
      this.#write(['end', task.index, endedAt - startedAt, result]);
      if (endedAt - lookedAt > lookEveryMs) {
        await setImmediate();
        lookedAt = performance.now();
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
    const context = new CallContext(task, (text) => this.#write(['log', task.index, text]));
    this.#current = context;
    const result = await callFunction(called, task.input, context);
    this.#current = null;
    context.end();
    return result;
  }

  #write(record: HostRecord): void {
    this.#channel.write(encodeRecord(record));
  }
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
