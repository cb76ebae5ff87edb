import { isJsonObject, type Json, type JsonObject } from '@runnel/core';
import type { Path } from './issue-list.ts';
import { NameCollector, noNames, type TemplateNames } from './template-names.ts';
import { type Part, parseTemplate, TemplateError } from './template-parse.ts';
import { MissingOutputError, renderText, renderValue } from './template-render.ts';

export { MissingOutputError };

/** What a template is rendered with. */
export interface RenderContext {
  /** Names and values of the task's parameters, in the same order. */
  readonly axes: readonly string[];
  readonly values: readonly Json[];
  readonly run: {
    readonly id: string;
    readonly name: string | null;
    readonly source: string | null;
  };
  readonly task: { readonly id: string; readonly attempt: number };
  /** Outputs of direct parents by class: an object, or an array where there are several. */
  readonly outputs: JsonObject;
}

/** A details template, ready to be rendered for many tasks. */
export interface CompiledTemplate {
  readonly names: TemplateNames;
  /** Leaves whose value depends on the output of a parent. */
  readonly outputPaths: readonly Path[];
  /** True where rendering gives back the details themselves. */
  readonly isConstant: boolean;
  /** Throws MissingOutputError where a parent's output lacks what a leaf names. */
  render(context: RenderContext): Json;
  /** Before any output is known: leaves that need one are the word `output`. */
  renderWithoutOutputs(context: RenderContext): Json;
}

/** A leaf that can't be read, and where it is. */
export interface TemplateIssue {
  readonly path: Path;
  readonly message: string;
}

interface Leaf {
  readonly readsOutputs: boolean;
}

type Node =
  | { readonly kind: 'constant'; readonly value: Json }
  | ({ readonly kind: 'value'; readonly part: Extract<Part, { kind: 'value' }> } & Leaf)
  | ({ readonly kind: 'text'; readonly parts: readonly Part[] } & Leaf)
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly keys: readonly string[]; readonly items: readonly Node[] };

/**
 * Compiles details: mustache on their string leaves, after parsing, so that a value never adds a
 * field or an argv element. A leaf that is exactly one placeholder keeps the value's type.
 *
 * @param issues takes what can't be read; without it the first one is thrown as TemplateError.
 */
export function compileTemplate(details: Json, issues?: TemplateIssue[]): CompiledTemplate {
  // Most tasks of an irregular graph have nothing to render: nothing is kept for them.
  if (!hasBraces(details)) return constantTemplate(details);
  const names = new NameCollector();
  const outputPaths: Path[] = [];
  const path: (string | number)[] = [];

  function compileNode(value: Json): Node {
    if (typeof value === 'string') return compileLeaf(value);
    if (typeof value !== 'object' || value === null) return { kind: 'constant', value };
    const keys = isJsonObject(value) ? Object.keys(value) : undefined;
    const children: readonly Json[] = isJsonObject(value) ? Object.values(value) : value;
    const items = children.map((child, index) => {
      path.push(keys?.[index] ?? index);
      const node = compileNode(child);
      path.pop();
      return node;
    });
    if (items.every((item) => item.kind === 'constant')) return { kind: 'constant', value };
    return keys === undefined ? { kind: 'list', items } : { kind: 'object', keys, items };
  }

  function compileLeaf(text: string): Node {
    if (!text.includes('{{')) return { kind: 'constant', value: text };
    try {
      const parts = parseTemplate(text);
      const readsOutputs = names.collect(parts, path);
      if (readsOutputs) outputPaths.push([...path]);
      const [only] = parts;
      if (parts.length === 1 && only?.kind === 'value') {
        return { kind: 'value', part: only, readsOutputs };
      }
      return { kind: 'text', parts, readsOutputs };
    } catch (error: unknown) {
      if (!(error instanceof TemplateError) || issues === undefined) throw error;
      issues.push({ path: [...path], message: error.message });
      return { kind: 'constant', value: text };
    }
  }

  const root = compileNode(details);
  return {
    names,
    outputPaths,
    isConstant: root.kind === 'constant',
    render: (context) => renderNode(root, context, renderLeaf),
    renderWithoutOutputs: (context) => renderNode(root, context, guessLeaf),
  };
}

function hasBraces(value: Json): boolean {
  if (typeof value === 'string') return value.includes('{{');
  if (typeof value !== 'object' || value === null) return false;
  return isJsonObject(value) ? Object.values(value).some(hasBraces) : value.some(hasBraces);
}

function constantTemplate(details: Json): CompiledTemplate {
  const render = (): Json => details;
  return {
    names: noNames,
    outputPaths: [],
    isConstant: true,
    render,
    renderWithoutOutputs: render,
  };
}

type LeafNode = Extract<Node, Leaf>;
type RenderLeaf = (leaf: LeafNode, context: RenderContext) => Json;

function renderLeaf(leaf: LeafNode, context: RenderContext): Json {
  return leaf.kind === 'value' ? renderValue(leaf.part, context) : renderText(leaf.parts, context);
}

function guessLeaf(leaf: LeafNode, context: RenderContext): Json {
  return leaf.readsOutputs ? 'output' : renderLeaf(leaf, context);
}

function renderNode(node: Node, context: RenderContext, render: RenderLeaf): Json {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'list':
      return node.items.map((item) => renderNode(item, context, render));
    case 'object': {
      const object: Record<string, Json> = {};
      for (const [index, item] of node.items.entries()) {
        object[node.keys[index] ?? ''] = renderNode(item, context, render);
      }
      return object;
    }
    default:
      return render(node, context);
  }
}
