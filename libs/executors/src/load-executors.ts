import type { ExecutorRegistry, LoadOptions } from './registry.ts';

/**
 * Knows the built-in executors and those of `modules`.
 *
 * Throws a SetupError that names the module where one is missing, can't be imported, exports no executor, or exports one
 * with a name that is taken.
 *
 * @example
 * const registry = await loadExecutors({ modules: ['./shout.ts'] });
 * registry.names(); // ['local', 'function', 'noop', 'sleep', 'shout']
 */
export async function loadExecutors(options: LoadOptions = {}): Promise<ExecutorRegistry> {
  // Only now: every thread that runs functions imports this package, for `defineFunction` alone.
  const { createRegistry } = await import('./registry.ts');
  return await createRegistry(options);
}
