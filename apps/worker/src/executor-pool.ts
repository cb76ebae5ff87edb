import type { ExecutorEnvironment, OpenExecutor, SecretPlace } from '@runnel/core';
import type { ExecutorPool } from '@runnel/engine';
import type { ExecutorRegistry } from '@runnel/executors';

/** Opens each executor when its first task comes, and closes all of them with the worker. */
export class WorkerExecutors implements ExecutorPool, AsyncDisposable {
  readonly #registry: ExecutorRegistry;
  readonly #environmentOf: (executor: string) => ExecutorEnvironment;
  readonly #opened = new Map<string, Promise<OpenExecutor<unknown>>>();

  constructor(
    registry: ExecutorRegistry,
    environmentOf: (executor: string) => ExecutorEnvironment,
  ) {
    this.#registry = registry;
    this.#environmentOf = environmentOf;
  }

  async open(name: string): Promise<OpenExecutor<unknown>> {
    const opening = this.#opened.get(name) ?? this.#registry.open(name, this.#environmentOf(name));
    this.#opened.set(name, opening);
    try {
      return await opening;
    } catch (error: unknown) {
      // The next task tries again: what was missing may have come.
      this.#opened.delete(name);
      throw error;
    }
  }

  isSideBySide(name: string): boolean {
    return this.#registry.isSideBySide(name);
  }

  secretPlaces(name: string): readonly SecretPlace[] {
    return this.#registry.secretPlaces(name);
  }

  parseDetails(name: string, details: unknown): ReturnType<ExecutorPool['parseDetails']> {
    const parsed = this.#registry.details(name).safeParse(details);
    if (parsed.success) return { ok: true, details: parsed.data };
    const message = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'details'}: ${issue.message}`)
      .join('; ');
    return { ok: false, message };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = await Promise.allSettled(this.#opened.values());
    for (const one of open) {
      if (one.status === 'fulfilled') await one.value[Symbol.asyncDispose]();
    }
  }
}
