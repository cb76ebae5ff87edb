import { isJsonObject, type Json } from '@runnel/core';
import type { RenderContext } from './template.ts';
import type { Part } from './template-parse.ts';

type ValuePart = Extract<Part, { kind: 'value' }>;
type SectionPart = Extract<Part, { kind: 'section' }>;

/** A parent's output lacks what a template names: another try can't help. */
export class MissingOutputError extends Error {
  override readonly name = 'MissingOutputError';

  constructor(name: string, place: string) {
    super(`{{${name}}}: ${place} has no such field`);
  }
}

/** The value of a placeholder, in its own type. */
export function renderValue(part: ValuePart, context: RenderContext): Json {
  const [first, second = ''] = part.keys;
  if (first === 'outputs') return lookUpOutput(part, context);
  if (first === 'task') return second === 'id' ? context.task.id : context.task.attempt;
  if (first === 'run') return renderRunField(second, context);
  const index = context.axes.indexOf(part.name);
  if (index === -1) throw new Error(`no parameter is named ${JSON.stringify(part.name)}`);
  return context.values[index] ?? null;
}

function renderRunField(field: string, context: RenderContext): Json {
  if (field === 'id') return context.run.id;
  return field === 'name' ? context.run.name : context.run.source;
}

/** A leaf with text around its placeholders, or with sections. */
export function renderText(parts: readonly Part[], context: RenderContext): string {
  let text = '';
  for (const part of parts) {
    if (part.kind === 'text') text += part.text;
    else if (part.kind === 'value') text += toText(renderValue(part, context));
    else text += renderSection(part, context);
  }
  return text;
}

function renderSection(part: SectionPart, context: RenderContext): string {
  const value = find(context.outputs, part.keys.slice(1));
  if (part.isInverted) return isEmpty(value) ? renderText(part.parts, context) : '';
  return renderEach(part, value, []);
}

/** Inside a section names are looked up in the output alone, from the innermost element outwards. */
function renderInOutput(parts: readonly Part[], scopes: readonly Json[]): string {
  let text = '';
  for (const part of parts) {
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    const value = findInScopes(scopes, part.keys);
    if (part.kind === 'value') {
      if (value === undefined) throw new MissingOutputError(part.name, 'the output of the section');
      text += toText(value);
    } else if (part.isInverted) {
      text += isEmpty(value) ? renderInOutput(part.parts, scopes) : '';
    } else {
      text += renderEach(part, value, scopes);
    }
  }
  return text;
}

function renderEach(part: SectionPart, value: Json | undefined, outer: readonly Json[]): string {
  if (value === undefined || isEmpty(value)) return '';
  const items: readonly Json[] = isList(value) ? value : [value];
  return items.map((item) => renderInOutput(part.parts, [...outer, item])).join('');
}

function lookUpOutput(part: ValuePart, context: RenderContext): Json {
  const value = find(context.outputs, part.keys.slice(1));
  if (value !== undefined) return value;
  throw new MissingOutputError(part.name, `the output of ${part.keys[1]}`);
}

function findInScopes(scopes: readonly Json[], keys: readonly string[]): Json | undefined {
  for (let index = scopes.length - 1; index >= 0; index--) {
    const value = find(scopes[index], keys);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Own properties of plain data only. */
function find(root: Json | undefined, keys: readonly string[]): Json | undefined {
  let value = root;
  for (const key of keys) {
    if (isList(value)) value = /^\d+$/.test(key) ? value[Number(key)] : undefined;
    else if (isJsonObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

/** Array.isArray does not narrow read-only arrays. */
function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Mustache's idea of nothing. */
function isEmpty(value: Json | undefined): boolean {
  return !value || (isList(value) && value.length === 0);
}

function toText(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
