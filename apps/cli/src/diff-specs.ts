import { isJsonObject, type Json, type JsonObject } from '@runnel/core';

/** A field that is not the same on both sides; absent: it has none there. */
export interface FieldChange {
  /** Such as `details.command`. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** What lies between two specs. */
export interface SpecDiff {
  /** Of the run itself: all but its tasks. */
  readonly run: readonly FieldChange[];
  /** Tasks as they are written: by id, else by class. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly task: string; readonly fields: readonly FieldChange[] }[];
}

/** Compares two specs as they are written, entry by entry; the order of tasks counts for nothing. */
export function diffSpecs(before: unknown, after: unknown): SpecDiff {
  const old = takeApart(before);
  const fresh = takeApart(after);
  const changed = [...fresh.entries].flatMap(([task, entry]) => {
    const was = old.entries.get(task);
    const fields = was === undefined ? [] : diffFields(was, entry);
    return fields.length === 0 ? [] : [{ task, fields }];
  });
  return {
    run: diffFields(old.head, fresh.head),
    added: [...fresh.entries.keys()].filter((task) => !old.entries.has(task)),
    removed: [...old.entries.keys()].filter((task) => !fresh.entries.has(task)),
    changed,
  };
}

export function isSame({ run, added, removed, changed }: SpecDiff): boolean {
  return [run, added, removed, changed].every((list) => list.length === 0);
}

interface Parts {
  readonly head: JsonObject;
  readonly entries: ReadonlyMap<string, JsonObject>;
}

function takeApart(spec: unknown): Parts {
  if (!isJsonObject(spec)) return { head: {}, entries: new Map() };
  const { tasks, ...head } = spec;
  const entries = new Map<string, JsonObject>();
  for (const entry of listEntries(tasks)) {
    const name = String(entry['id'] ?? entry['class']);
    // Several entries may share a class and have no id: they are told by their order.
    let key = name;
    for (let n = 2; entries.has(key); n++) key = `${name} #${n}`;
    entries.set(key, entry);
  }
  return { head, entries };
}

function listEntries(tasks: Json | undefined): readonly JsonObject[] {
  if (isJsonObject(tasks)) {
    return Object.entries(tasks).map(([name, entry]) => ({
      class: name,
      ...(isJsonObject(entry) ? entry : {}),
    }));
  }
  return Array.isArray(tasks) ? tasks.filter(isJsonObject) : [];
}

function diffFields(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const old = flatten(before);
  const fresh = flatten(after);
  const fields = [...new Set([...old.keys(), ...fresh.keys()])];
  return fields.flatMap((field): FieldChange[] => {
    const was = old.get(field);
    const is = fresh.get(field);
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [
      {
        field,
        ...(was === undefined ? {} : { before: was }),
        ...(is === undefined ? {} : { after: is }),
      },
    ];
  });
}

/** Fields of objects in objects by their paths; a list is one value. */
function flatten(value: JsonObject): ReadonlyMap<string, Json> {
  const fields = new Map<string, Json>();
  const visit = (part: Json, path: string): void => {
    if (!isJsonObject(part) || Object.keys(part).length === 0) {
      fields.set(path, part);
      return;
    }
    for (const [key, child] of Object.entries(part))
      visit(child, path === '' ? key : `${path}.${key}`);
  };
  for (const [key, child] of Object.entries(value)) visit(child, key);
  return fields;
}
