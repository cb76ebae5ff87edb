import type { Json, JsonObject, TaskInput } from '@runnel/core';
import type { FunctionContext } from './define-function.ts';
import type { FunctionDetails } from './details.ts';

/**
 * The tasks of one request, field by field: what they share is sent once, and lists of numbers and short strings are
 * cheap to copy. A batch is of one group of one run, so run and class are the same.
 */
export interface BatchRequest {
  readonly kind: 'run';
  readonly run: FunctionContext['run'];
  readonly class: string;
  /** Of the functions: one for all tasks, or one for each. */
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly numbers: readonly number[];
  readonly attempts: readonly number[];
  readonly idempotencyKeys: readonly string[];
  /** True where the tasks are generators. */
  readonly generates?: boolean;
  /**
   * A list with `[inputs, input]` of each task, or `[inputs]` where it has no input. As JSON, so that no two tasks come
   * to share an object that one of them might change.
   */
  readonly values: string;
}

/** One task of a request, as its host sees it. */
export interface HostTask {
  readonly position: number;
  /** Of the function. */
  readonly name: string;
  readonly input: Json | undefined;
  readonly run: FunctionContext['run'];
  readonly task: FunctionContext['task'];
  readonly idempotencyKey: string;
  readonly inputs: JsonObject;
  /** True for a generator. */
  readonly generates?: true;
}

type Values = readonly [inputs: JsonObject, input?: Json];

/** Asks for the tasks at these places of a batch; there is at least one. */
export function encodeBatch(
  tasks: readonly TaskInput<FunctionDetails>[],
  places: readonly number[],
): BatchRequest {
  const first = tasks[places[0] ?? 0];
  if (first === undefined) throw new Error('a request needs a task');
  const names: string[] = [];
  const ids: string[] = [];
  const numbers: number[] = [];
  const attempts: number[] = [];
  const idempotencyKeys: string[] = [];
  const values: Values[] = [];
  for (const place of places) {
    const task = tasks[place];
    if (task === undefined) continue;
    const { name, input } = task.details;
    names.push(name);
    ids.push(task.task.id);
    numbers.push(task.task.number);
    attempts.push(task.task.attempt);
    idempotencyKeys.push(task.idempotencyKey);
    values.push(input === undefined ? [task.inputs] : [task.inputs, input]);
  }
  const isOneName = names.every((name) => name === names[0]);
  return {
    kind: 'run',
    run: first.run,
    class: first.task.class,
    names: isOneName ? names.slice(0, 1) : names,
    ...{ ids, numbers, attempts, idempotencyKeys },
    ...(first.generator === undefined ? {} : { generates: true }),
    values: JSON.stringify(values),
  };
}

export function decodeBatch(request: BatchRequest): readonly HostTask[] {
  const { class: className, names, ids, numbers, attempts, idempotencyKeys } = request;
  const values: readonly Values[] = JSON.parse(request.values);
  // All tasks get this one object.
  const run = Object.freeze(request.run);
  const only = names.length === 1 ? names[0] : undefined;
  return values.map(([inputs, input], position) => ({
    position,
    name: only ?? names[position] ?? '',
    input,
    run,
    task: {
      id: ids[position] ?? '',
      number: numbers[position] ?? 0,
      class: className,
      attempt: attempts[position] ?? 1,
    },
    idempotencyKey: idempotencyKeys[position] ?? '',
    inputs,
    ...(request.generates === true ? { generates: true } : {}),
  }));
}
