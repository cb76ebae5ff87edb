import { pathToFileURL } from 'node:url';
import { describeThrown, suggest } from '@runnel/core';
import { isRegisteredFunction, type RegisteredFunction } from './define-function.ts';

/** The functions of a worker's modules. A module that can't be imported takes only its own functions away. */
export interface LoadedFunctions {
  find(name: string): RegisteredFunction | undefined;
  /** Why there is no such function, and which there are. */
  describeMissing(name: string): string;
}

export async function loadFunctions(modules: readonly string[]): Promise<LoadedFunctions> {
  const functions = new Map<string, RegisteredFunction>();
  const ambiguous = new Set<string>();
  const problems: string[] = [];
  for (const file of modules) {
    try {
      const exported: object = await import(pathToFileURL(file).href);
      for (const found of new Set(Object.values(exported).filter(isRegisteredFunction))) {
        if (functions.has(found.name)) ambiguous.add(found.name);
        functions.set(found.name, found);
      }
    } catch (error: unknown) {
      problems.push(`${file} could not be imported: ${describeThrown(error)}`);
    }
  }
  return {
    find: (name) => (ambiguous.has(name) ? undefined : functions.get(name)),
    describeMissing(name) {
      if (ambiguous.has(name)) {
        return `two functions are named "${name}"; names must differ over all modules: ${modules.join(', ')}`;
      }
      return [describeUnknown(name, [...functions.keys()], modules), ...problems].join('\n');
    },
  };
}

function describeUnknown(
  name: string,
  known: readonly string[],
  modules: readonly string[],
): string {
  if (modules.length === 0) {
    return `no function is named "${name}": this worker has no modules with functions; name them in its setting "functions"`;
  }
  const list = known.length === 0 ? 'none' : known.join(', ');
  return `no function is named "${name}"${suggest(name, known)}; registered: ${list}`;
}
