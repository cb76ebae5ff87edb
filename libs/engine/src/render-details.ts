import {
  type AttemptFailed,
  describeMissingSecret,
  fillSecretReferences,
  findSecretReferences,
  formatPath,
  type Json,
  type JsonObject,
  SecretError,
  type SecretReference,
  type SecretSource,
} from '@runnel/core';
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
  /** The attempt's own. */
  readonly secrets: SecretSource;
}

const noReferences: readonly SecretReference[] = [];

/** Renders details of tasks; a group's template is compiled once, a constant one is checked once. */
export class DetailsRenderer {
  readonly #executors: ExecutorPool;
  readonly #templates = new WeakMap<StoredGroup, CompiledTemplate>();
  readonly #constants = new WeakMap<StoredGroup, Rendered>();
  readonly #references = new WeakMap<StoredGroup, readonly SecretReference[]>();

  constructor(executors: ExecutorPool) {
    this.#executors = executors;
  }

  /** A promise only where the details refer to secrets: most tasks need not wait. */
  render(request: RenderRequest): Rendered | Promise<Rendered> {
    const { task } = request;
    const references = this.#referencesOf(task);
    if (references.length > 0) return this.#renderWithSecrets(request, references);
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

  /** Values are looked up for each attempt and kept by nobody. */
  async #renderWithSecrets(
    request: RenderRequest,
    references: readonly SecretReference[],
  ): Promise<Rendered> {
    const { task, secrets } = request;
    const isShared = task.details === task.group.details;
    try {
      const details = task.group.templated
        ? this.#template(task, isShared).render(contextOf(request))
        : task.details;
      const texts: string[] = [];
      for (const reference of references) texts.push(await readSecret(reference, secrets));
      return this.#check(task, fillSecretReferences(details, references, texts));
    } catch (error: unknown) {
      if (error instanceof SecretError) return { ok: false, failure: describeMissingSecret(error) };
      if (!(error instanceof MissingOutputError)) throw error;
      return failed('output-missing', error.message);
    }
  }

  /** Of the details as they are written, before anything is filled in. */
  #referencesOf(task: PlannedTask): readonly SecretReference[] {
    const places = this.#executors.secretPlaces(task.group.executor);
    if (places.length === 0) return noReferences;
    if (task.details !== task.group.details) return findSecretReferences(places, task.details);
    const known = this.#references.get(task.group);
    if (known !== undefined) return known;
    const references = findSecretReferences(places, task.details);
    this.#references.set(task.group, references);
    return references;
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

async function readSecret({ path, name }: SecretReference, secrets: SecretSource): Promise<string> {
  try {
    return await secrets.read(name);
  } catch (error: unknown) {
    if (!(error instanceof SecretError)) throw error;
    const place = formatPath(['details', ...path]);
    throw new SecretError(`${place}: ${error.message}`, { cause: error });
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
