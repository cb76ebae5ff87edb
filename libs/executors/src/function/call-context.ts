import type { HostTask } from './batch-request.ts';
import type { FunctionContext } from './define-function.ts';

/**
 * What one attempt may send of its log as it goes, and what is kept of its end beyond that. The main thread can't be
 * asked to wait while a function computes, so without a limit a loop that logs would fill its memory.
 */
export const maxLogChars = 262_144;
export const maxTailChars = 16_384;

/** How a context reaches the main thread. */
export interface CallChannel {
  sendLog(position: number, text: string): void;
  askSecret(position: number, name: string): Promise<string>;
}

/** What a function gets about its attempt. */
export class CallContext implements FunctionContext {
  readonly position: number;
  readonly run: FunctionContext['run'];
  readonly task: FunctionContext['task'];
  readonly idempotencyKey: string;
  readonly inputs: FunctionContext['inputs'];
  readonly #channel: CallChannel;
  #hasSecrets = false;
  #sentChars = 0;
  #leftOutChars = 0;
  #tail = '';
  #abort: AbortController | null = null;
  #abortReason: Error | null = null;
  #ended = false;

  constructor(task: HostTask, channel: CallChannel) {
    this.position = task.position;
    this.run = task.run;
    this.task = task.task;
    this.idempotencyKey = task.idempotencyKey;
    this.inputs = task.inputs;
    this.#channel = channel;
  }

  /** Made when it is first asked for: most functions don't, and it costs more than a trivial one. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#abortReason !== null) this.#abort.abort(this.#abortReason);
    return this.#abort.signal;
  }

  /** A property, so that `const { log } = context` works. */
  readonly log = (text: string): void => this.write(text.endsWith('\n') ? text : `${text}\n`);

  /** As it is: what is written in pieces stays in one piece, and a secret in it is found. */
  write(text: string): void {
    // From a promise that the function did not wait for. The outbox may be written only while a task runs.
    if (this.#ended) return;
    if (this.#sentChars + text.length <= maxLogChars) {
      this.#sentChars += text.length;
      this.#channel.sendLog(this.position, text);
      return;
    }
    this.#sentChars = maxLogChars;
    this.#leftOutChars += text.length;
    this.#tail += text;
    // Cut only now and then: each cut copies the tail.
    if (this.#tail.length > 2 * maxTailChars) this.#tail = this.#cutTail();
  }

  /** A property, as `log` is. */
  readonly secret = (name: string): Promise<string> => {
    if (this.#ended) return Promise.reject(new Error('the task has ended'));
    this.#hasSecrets = true;
    return this.#channel.askSecret(this.position, name);
  };

  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#abort?.abort(reason);
  }

  /** Sends the end of a log that was too long; nothing is sent after it. */
  end(): void {
    this.#ended = true;
    if (this.#leftOutChars === 0) return;
    const tail = this.#cutTail();
    this.#channel.sendLog(
      this.position,
      `… ${this.#leftOutChars - tail.length} characters left out …\n${tail}`,
    );
  }

  /** Where there are secrets, at the beginning of a line: half of one would not be found. */
  #cutTail(): string {
    const tail = this.#tail.slice(-maxTailChars);
    if (!this.#hasSecrets || tail.length === this.#tail.length) return tail;
    const lineEnd = tail.indexOf('\n');
    return lineEnd === -1 ? '' : tail.slice(lineEnd + 1);
  }
}
