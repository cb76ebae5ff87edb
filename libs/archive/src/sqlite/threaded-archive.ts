import { Worker } from 'node:worker_threads';
import { SetupError } from '@runnel/core';
import { type Archive, ArchiveUnavailableError } from '../archive.ts';
import {
  type ArchiveCall,
  type ArchiveMethod,
  type ArchiveReply,
  openNumber,
  type ThreadError,
} from './sqlite-calls.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The archive in a thread of its own: SQLite blocks whoever calls it. */
class ArchiveThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #gone: Error | null = null;

  constructor(path: string) {
    this.#worker = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { workerData: path });
    this.#worker.on('message', (reply: ArchiveReply) => this.#answer(reply));
    this.#worker.on('error', (error: unknown) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the thread has ended')));
  }

  /** Resolves when the file is open; throws why it is not. */
  open(): Promise<unknown> {
    return this.#wait(openNumber);
  }

  call(method: ArchiveMethod | 'close', args: readonly unknown[]): Promise<unknown> {
    const call: ArchiveCall = { number: this.#count++, method, args };
    const answer = this.#wait(call.number);
    if (this.#gone === null) this.#worker.postMessage(call);
    return answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #wait(number: number): Promise<unknown> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(number, { resolve, reject });
    return promise;
  }

  #answer(reply: ArchiveReply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (!('error' in reply)) waiting?.resolve(reply.result);
    else waiting?.reject(ofThread(reply.error));
  }

  #end(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#gone ??= new ArchiveUnavailableError(
      `the archive's thread has ended: ${why}; start the process again`,
      { cause: error },
    );
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone);
    this.#waiting.clear();
  }
}

function ofThread({ name, message }: ThreadError): Error {
  if (name === ArchiveUnavailableError.name) return new ArchiveUnavailableError(message);
  return name === SetupError.name ? new SetupError(message) : new Error(message);
}

/** Opens a file in a thread. Throws SetupError where it can't be used. */
export async function openThreaded(path: string): Promise<Archive> {
  const thread = new ArchiveThread(path);
  try {
    await thread.open();
  } catch (error: unknown) {
    await thread.end();
    throw error;
  }
  return {
    ...methodsOf(thread),
    async [Symbol.asyncDispose]() {
      await thread.call('close', []);
      await thread.end();
    },
  };
}

const methods: Readonly<Record<ArchiveMethod, true>> = {
  put: true,
  seal: true,
  read: true,
  known: true,
  readStatistics: true,
  readParts: true,
  remove: true,
  find: true,
  listTagKeys: true,
  listTagValues: true,
  prune: true,
  dropUnsealed: true,
};

function methodsOf(thread: ArchiveThread): Omit<Archive, typeof Symbol.asyncDispose> {
  const entries = Object.keys(methods).map((method) => [
    method,
    (...args: unknown[]) => thread.call(method as ArchiveMethod, args),
  ]);
  // The thread answers each method with what the archive behind it gives.
  return Object.fromEntries(entries) as Omit<Archive, typeof Symbol.asyncDispose>;
}
