import { inflateRawSync } from 'node:zlib';
import {
  describeIssue,
  edgeId,
  edgeRules,
  type Issue,
  type Json,
  ons,
  type Plan,
  readTaskTexts,
  SpecError,
  type TaskPayload,
  taskId,
} from '@runnel/core';
import { parseDocument } from './document.ts';
import type { ExecutorCatalog } from './entries.ts';
import { type ExpandOptions, expandSpec } from './expand.ts';

/** Knows `local`, whose details have a `command` of strings and numbers, and others that take anything. */
export const executors: ExecutorCatalog = {
  names: () => ['local', 'noop', 'sleep'],
  check(executor, details): readonly Issue[] {
    if (executor !== 'local') return [];
    const command = Object(details)['command'];
    if (!Array.isArray(command)) return [{ path: ['command'], message: 'expected a list' }];
    return command.flatMap((word: Json, index) =>
      typeof word === 'string' || typeof word === 'number'
        ? []
        : [{ path: ['command', index], message: 'expected a string' }],
    );
  },
};

export const options: ExpandOptions = {
  limits: { maxTasks: 2_000_000, maxProduct: 2_000_000 },
  executors,
  pools: ['default', 'large'],
  source: '/specs/climate',
};

/** A plan with names in place of numbers. */
export interface ReadablePlan {
  readonly ids: readonly string[];
  /** `child` ← `parent on rule`. */
  readonly edges: Readonly<Record<string, readonly string[]>>;
}

export function expand(spec: unknown): Plan {
  return expandSpec(spec, options).plan;
}

export function groupOf(plan: Plan, node: number): number {
  let group = 0;
  for (let at = 0; at < plan.groupRanges.length; at += 2) {
    if ((plan.groupRanges[at] ?? 0) <= node) group = plan.groupRanges[at + 1] ?? 0;
  }
  return group;
}

export function describePlan(plan: Plan): ReadablePlan {
  const ids: string[] = [];
  for (const payload of plan.payloads()) {
    const group = plan.groups[groupOf(plan, ids.length)];
    ids.push(group === undefined ? '?' : taskId(group, payload));
  }
  const edges: Record<string, string[]> = {};
  for (const [node, id] of ids.entries()) {
    const start = plan.parentOffsets[node] ?? 0;
    const list = plan.parents.subarray(start, plan.parentOffsets[node + 1]);
    if (list.length > 0) edges[id] = Array.from(list, (edge) => describeEdge(edge, ids));
  }
  return { ids, edges };
}

function describeEdge(edge: number, ids: readonly string[]): string {
  return `${ids[edgeId(edge)]} ${ons[(edge >>> 24) & 3]} ${edgeRules[edge >>> 26]}`;
}

/** Each task's payload with its details, wherever these stand. */
export function payloadsOf(plan: Plan): TaskPayload[] {
  const inTexts = plan.texts?.flatMap((chunk) => readTaskTexts(inflateRawSync(chunk).toString()));
  return [...plan.payloads()].map((payload, node) => {
    const own = inTexts?.[node] ?? payload;
    const details = own.details ?? plan.groups[groupOf(plan, node)]?.details ?? null;
    return { ...payload, details };
  });
}

/** A title, the YAML of a spec, and every issue that it has. */
export type BadSpec = readonly [title: string, text: string, issues: readonly string[]];

export function issuesOf(text: string): string[] {
  try {
    const document = parseDocument(text, 'yaml');
    expandSpec(document.value, { ...options, locate: document.locate });
    return [];
  } catch (error: unknown) {
    if (error instanceof SpecError) return error.issues.map(describeIssue);
    throw error;
  }
}
