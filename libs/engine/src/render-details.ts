import type { AttemptFailed, Json, JsonObject } from '@runnel/core';
import { type CompiledTemplate, compileTemplate, MissingOutputError } from '@runnel/spec';
import type { PlannedTask, RunFacts, StoredGroup } from '@runnel/store';
import type { ExecutorPool } from './executors.ts';

export type Rendered =
  | { readonly ok: true; readonly details: unknown }
  | { readonly ok: false; readonly failure: AttemptFailed };

export interface RenderRequest {
  readonly run: RunFacts;
  readonly task: PlannedTask;
  readonly attempt: number;
  readonly inputs: JsonObject;
}

/** Renders details of tasks; a group's template is compiled once, a constant one is checked once. */
export class DetailsRenderer {
  readonly #executors: ExecutorPool;
  readonly #templates = new WeakMap<StoredGroup, CompiledTemplate>();
  readonly #constants = new WeakMap<StoredGroup, Rendered>();

  constructor(executors: ExecutorPool) {
    this.#executors = executors;
  }

  render(request: RenderRequest): Rendered {
    const { task } = request;
    const isShared = task.details === task.group.details;
    const constant = isShared ? this.#constants.get(task.group) : undefined;
    if (constant !== undefined) return constant;
    if (!task.group.templated) return this.#keep(isShared, task, task.details);

    const template = this.#template(task, isShared);
    const isConstant = isShared && template.names.places.size === 0;
    try {
      return this.#keep(isConstant, task, template.render(contextOf(request)));
    } catch (error: unknown) {
      if (!(error instanceof MissingOutputError)) throw error;
      return failed('output-missing', error.message);
    }
  }

  #template(task: PlannedTask, isShared: boolean): CompiledTemplate {
    if (!isShared) return compileTemplate(task.details);
    const known = this.#templates.get(task.group);
    if (known !== undefined) return known;
    const template = compileTemplate(task.details);
    this.#templates.set(task.group, template);
    return template;
  }

  #keep(isConstant: boolean, task: PlannedTask, details: Json): Rendered {
    const rendered = this.#check(task, details);
    if (isConstant) this.#constants.set(task.group, rendered);
    return rendered;
  }

  #check(task: PlannedTask, details: Json): Rendered {
    const parsed = this.#executors.parseDetails(task.group.executor, details);
    if (parsed.ok) return parsed;
    return failed(
      'spawn-error',
      `details of ${task.id} do not fit the executor ${task.group.executor}: ${parsed.message}`,
    );
  }
}

function contextOf({
  run,
  task,
  attempt,
  inputs,
}: RenderRequest): Parameters<CompiledTemplate['render']>[0] {
  return {
    axes: task.group.axes,
    values: task.values,
    run: { id: run.handle.id, name: run.name, source: run.source },
    task: { id: task.id, attempt },
    outputs: inputs,
  };
}

function failed(reason: 'output-missing' | 'spawn-error', message: string): Rendered {
  return { ok: false, failure: { outcome: 'failed', reason, message, retryable: false } };
}
