import {
  type Executor,
  type ExecutorEnvironment,
  type Issue,
  type Json,
  type Lane,
  NotFoundError,
  type OpenExecutor,
  type SecretPlace,
  SetupError,
  suggest,
} from '@runnel/core';
import type { z } from 'zod';
import { checkDetails } from './check-details.ts';
import { functionExecutor } from './function/index.ts';
import { local } from './local/index.ts';
import { noop } from './noop/index.ts';
import { sleep } from './sleep/index.ts';
import { readExecutors } from './user-modules.ts';

/** The executors that a process knows. Each method throws a NotFoundError for an unknown name. */
export interface ExecutorRegistry {
  names(): readonly string[];
  has(name: string): boolean;
  lane(name: string): Lane;
  maxBatch(name: string): number;
  isSideBySide(name: string): boolean;
  secretPlaces(name: string): readonly SecretPlace[];
  details(name: string): z.ZodType;
  /** See ExecutorCatalog; an unknown name is an issue too. */
  check(name: string, details: Json, written?: Json): readonly Issue[];
  /** Loads what the executor needs to run and starts it. Dispose what it returns. */
  open(name: string, environment: ExecutorEnvironment): Promise<OpenExecutor<unknown>>;
}

export interface LoadOptions {
  /** A user's own executors: paths of modules, absolute or from the working directory. */
  readonly modules?: readonly string[];
}

const noPlaces: readonly SecretPlace[] = [];

/** Only names, limits and schemas: what an executor runs on (execa, threads) is imported when it is opened. */
const builtIn: readonly Executor[] = [local, functionExecutor, noop, sleep];

/** See loadExecutors. */
export async function createRegistry(options: LoadOptions): Promise<ExecutorRegistry> {
  const executors = new Map(builtIn.map((executor) => [executor.name, executor]));
  const origins = new Map(builtIn.map(({ name }) => [name, 'a built-in executor']));
  for (const path of new Set(options.modules ?? [])) {
    const { file, executors: own } = await readExecutors(path);
    for (const executor of own) {
      const origin = origins.get(executor.name);
      if (origin !== undefined) {
        throw new SetupError(
          `${file}: the name "${executor.name}" is taken by ${origin}; give this executor another name`,
        );
      }
      executors.set(executor.name, executor);
      origins.set(executor.name, `the executor in ${file}`);
    }
  }
  return registryOf(executors);
}

function registryOf(executors: ReadonlyMap<string, Executor>): ExecutorRegistry {
  const find = (name: string): Executor => {
    const executor = executors.get(name);
    if (executor === undefined) {
      throw new NotFoundError(describeUnknown(name, [...executors.keys()]));
    }
    return executor;
  };
  return {
    names: () => [...executors.keys()],
    has: (name) => executors.has(name),
    lane: (name) => find(name).lane,
    maxBatch: (name) => find(name).maxBatch,
    isSideBySide: (name) => find(name).isSideBySide ?? false,
    secretPlaces: (name) => find(name).secretPlaces ?? noPlaces,
    details: (name) => find(name).details,
    check(name, details, written = details) {
      const executor = executors.get(name);
      if (executor !== undefined) return checkDetails(executor, details, written);
      return [{ path: [], message: describeUnknown(name, [...executors.keys()]) }];
    },
    open: async (name, environment) => find(name).open(environment),
  };
}

/** `no executor is named "locl" (did you mean "local"?); known: local, function, noop, sleep`. */
function describeUnknown(name: string, known: readonly string[]): string {
  return `no executor is named "${name}"${suggest(name, known)}; known: ${known.join(', ')}`;
}
