import { isJsonObject, maxTaskIdBytes, type On, ons } from '@runnel/core';
import { policyFields } from './entry-fields.ts';
import type { SingleTasks } from './single-tasks.ts';

/** An entry whose own fields have the usual form. Those that it shares with others are one text. */
export interface QuickEntry {
  readonly id: string | undefined;
  readonly parents: readonly number[];
  readonly children: readonly number[];
  /** Undefined where it has none. */
  readonly details: unknown;
  /** Its class and all other fields: equal texts mean equal rules. */
  readonly common: string;
}

const none: readonly number[] = [];
const ownFields: ReadonlySet<string> = new Set(['id', 'parents', 'children', 'details']);
const sharedFields: ReadonlySet<string> = new Set([
  'class',
  'kind',
  'runIf',
  ...Object.keys(policyFields),
]);

/** Takes an entry apart without the schema; null where anything is unusual, right or wrong. */
export function readQuickly(raw: unknown, tasks: SingleTasks): QuickEntry | null {
  if (!isJsonObject(raw)) return null;
  let common = '';
  for (const key in raw) {
    if (ownFields.has(key)) continue;
    const value = raw[key];
    // A line break would let one field pass for two.
    if (!sharedFields.has(key) || (typeof value === 'string' && value.includes('\n'))) return null;
    common += typeof value === 'string' ? `${key}:${value}\n` : `${key}=${JSON.stringify(value)}\n`;
  }
  const { id } = raw;
  if (id !== undefined && !(typeof id === 'string' && isUsualId(id))) return null;
  const parents = packAll(raw['parents'], tasks);
  const children = packAll(raw['children'], tasks);
  if (parents === null || children === null) return null;
  return { id, parents, children, details: raw['details'], common };
}

function isUsualId(id: string): boolean {
  return /^[!-~]{1,200}$/.test(id) && /\D/.test(id);
}

function packAll(refs: unknown, tasks: SingleTasks): readonly number[] | null {
  if (refs === undefined) return none;
  if (!Array.isArray(refs)) return null;
  const packed: number[] = [];
  for (const ref of refs) {
    const one = packOne(ref, tasks);
    if (one === -1) return null;
    packed.push(one);
  }
  return packed;
}

function packOne(ref: unknown, tasks: SingleTasks): number {
  if (typeof ref === 'string') return isName(ref) ? tasks.packRef(ref) : -1;
  if (!isJsonObject(ref)) return -1;
  for (const key in ref) if (key !== 'id' && key !== 'class' && key !== 'on') return -1;
  const { id, class: set, on } = ref;
  if (on !== undefined && !isOn(on)) return -1;
  if (set === undefined) return isName(id) ? tasks.packRef({ id, on }) : -1;
  return isName(set) && id === undefined ? tasks.packRef({ class: set, on }) : -1;
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= maxTaskIdBytes;
}

function isOn(on: unknown): on is On {
  return ons.some((known) => known === on);
}
