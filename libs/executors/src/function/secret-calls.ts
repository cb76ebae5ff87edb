import { SecretError } from '@runnel/core';
import type { SecretAnswer } from './protocol.ts';

/** What functions of a host asked for and did not get yet. Numbers of calls are never used again. */
export class SecretCalls {
  readonly #open = new Map<number, PromiseWithResolvers<string>>();
  #calls = 0;

  /** @param send gets the number that the answer will have. */
  ask(send: (call: number) => void): Promise<string> {
    const call = ++this.#calls;
    const asked = Promise.withResolvers<string>();
    this.#open.set(call, asked);
    send(call);
    return asked.promise;
  }

  answer(call: number, answer: SecretAnswer): void {
    const asked = this.#open.get(call);
    this.#open.delete(call);
    if (answer.found) asked?.resolve(answer.value);
    else asked?.reject(new SecretError(answer.message));
  }

  /** The task has ended: what it asked for without waiting for the answer is never answered. */
  forget(): void {
    this.#open.clear();
  }
}
