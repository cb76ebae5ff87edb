import { fnv1a64 } from '@runnel/core';

/** Ids of tasks may have so many characters. */
const mostCharacters = 200;

/**
 * The id of a task from its name in DaggyR. A name may be anything there; here white space and control
 * characters are percent-encoded, and so are percent signs and the first of digits only, which would be
 * taken for a number. A longer name is cut and ends in a hash.
 */
export function toTaskId(name: string): string {
  const id = /^\d+$/.test(name)
    ? encodeDigit(name)
    : name.replaceAll(/[%\s\p{Cc}]/gu, encodeURIComponent);
  if (id.length <= mostCharacters) return id;
  const hash = fnv1a64(id).toString(16).padStart(16, '0');
  return `${id.slice(0, mostCharacters - 17).toWellFormed()}-${hash}`;
}

/** The name that DaggyR's users know a task by; an id that is no encoded name is its own name. */
export function fromTaskId(id: string): string {
  if (!id.includes('%')) return id;
  try {
    const name = decodeURIComponent(id);
    return toTaskId(name) === id ? name : id;
  } catch (error: unknown) {
    // Not encoded by us.
    if (error instanceof URIError) return id;
    throw error;
  }
}

function encodeDigit(digits: string): string {
  return `%3${digits}`;
}

const mostClassCharacters = 100;

/** A class from a name: letters, digits, "_" and "-". */
export function toClass(name: string): string {
  const plain = name.replaceAll(/[^\w-]/g, '_');
  return (/^[A-Za-z_]/.test(plain) ? plain : `_${plain}`).slice(0, mostClassCharacters);
}

/** With more names than this, tasks that are alone under theirs share one class. */
export const mostOwnClasses = 1_000;
const sharedClass = 'task';

/** Gives each name a class that no other name has. */
export class ClassNames {
  readonly #byName = new Map<string, string>();
  readonly #taken = new Set<string>([sharedClass]);

  /** The class of a name; the shared one for a task that is alone, where there are very many names. */
  of(name: string, isShared: boolean): string {
    if (isShared) return sharedClass;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const wanted = toClass(name);
    let found = wanted;
    for (let count = 2; this.#taken.has(found); count++) {
      const end = `_${count}`;
      found = `${wanted.slice(0, mostClassCharacters - end.length)}${end}`;
    }
    this.#taken.add(found);
    this.#byName.set(name, found);
    return found;
  }
}
