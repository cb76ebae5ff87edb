import type { JsonObject } from '@runnel/core';
import type { z } from 'zod';

/** What a function knows about its attempt. */
export interface FunctionContext {
  readonly run: { readonly id: string; readonly name: string | null };
  readonly task: {
    readonly id: string;
    readonly number: number;
    readonly class: string;
    readonly attempt: number;
  };
  /** The same for every start of the same attempt. */
  readonly idempotencyKey: string;
  /** Outputs of direct parents by class: an object, or an array where there are several. */
  readonly inputs: JsonObject;
  /** Adds a line to the task's log; so does console.log. */
  log(text: string): void;
  /**
   * The value of a secret that the worker has. From then on it is replaced in the log, the error and the output of this
   * attempt. Rejects where there is none; not caught, that ends the attempt as `secret-missing`.
   */
  secret(name: string): Promise<string>;
  /** Aborted on timeout, cancel and shutdown; shortly afterwards the thread is ended. */
  readonly signal: AbortSignal;
}

export interface FunctionDefinition<Input, Output> {
  /** How tasks call it: `details: { name, input }`. */
  readonly name: string;
  /** Of `details.input`. Without it, the input is unknown and not checked. */
  readonly input?: z.ZodType<Input>;
  /** Of what `run` returns. */
  readonly output?: z.ZodType<Output>;
  /** Returns the task's output, a plain object, or nothing. What it throws is the task's failure. */
  run(input: Input, context: FunctionContext): Output | Promise<Output>;
}

/** A function as its module exports it. */
export interface RegisteredFunction extends FunctionDefinition<unknown, unknown> {
  readonly kind: 'runnel-function';
}

/**
 * Makes a function that tasks of the executor `function` can call.
 *
 * @example
 * export const greet = defineFunction({
 *   name: 'greet',
 *   input: z.strictObject({ to: z.string() }),
 *   run: ({ to }) => ({ greeting: `hello ${to}` }),
 * });
 */
export function defineFunction<Input = unknown, Output = unknown>(
  definition: FunctionDefinition<Input, Output>,
): RegisteredFunction {
  return { ...eraseTypes(definition), kind: 'runnel-function' };
}

/** Sound because the host parses every input with `input` before `run` gets it. */
function eraseTypes<Input, Output>(
  definition: FunctionDefinition<Input, Output>,
): FunctionDefinition<unknown, unknown> {
  return definition as FunctionDefinition<unknown, unknown>;
}

/** Proves that a value of a user's module came from defineFunction. */
export function isRegisteredFunction(value: unknown): value is RegisteredFunction {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'runnel-function' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'run' in value &&
    typeof value.run === 'function'
  );
}
