import {
  finishInTurns,
  finishSteps,
  type InputShape,
  type Issue,
  maxNodes,
  type Plan,
  SpecError,
  type Steps,
} from '@runnel/core';
import { findBarriers } from './barriers.ts';
import { checkDetails } from './check-details.ts';
import { findCycles } from './cycles.ts';
import { buildEdges, countEdges, type EdgeContext } from './edges.ts';
import { compileEntries, type Entries, type ExecutorCatalog } from './entries.ts';
import type { Entry } from './entry.ts';
import { addGeneratorEnds, describeTooManyNodes } from './generator-ends.ts';
import { groupEntries } from './groups.ts';
import { findUnsafeValue } from './guard.ts';
import { checkOutputs, shapeInputs } from './inputs.ts';
import { IssueList, type Locate } from './issue-list.ts';
import { type Join, Joiner } from './joins.ts';
import { type Link, type Links, type OuterRef, resolveLinks } from './links.ts';
import { Names } from './names.ts';
import { readParameters } from './parameters.ts';
import { listPayloads } from './payloads.ts';
import { readHead } from './read-head.ts';
import type { RunHead } from './schema.ts';
import { simplifyLinks } from './simplify-links.ts';
import { warnOfMissingMatch } from './warnings.ts';
import { checkWebhookClasses, checkWebhooks, type RefuseWebhook } from './webhooks.ts';

/** 400 MB of edges; one barrier or match in place of a product of tasks keeps far below. */
export const defaultMaxEdges = 100_000_000;

/** Entries between two turns of others. */
const entriesPerStep = 64;

/** What a spec is expanded with. */
export interface ExpandOptions {
  readonly limits: {
    /** The most tasks of a run. */
    readonly maxTasks: number;
    /** The most combinations of parameters that one task, or the run, may have. */
    readonly maxProduct: number;
    /** Default 100,000,000. */
    readonly maxEdges?: number;
  };
  readonly executors: ExecutorCatalog;
  readonly pools: readonly string[];
  /** The spec's folder on the workers' file system; null or absent where there is none. */
  readonly source?: string | null;
  /** Absent where nobody knows which addresses are refused. */
  readonly refuseWebhook?: RefuseWebhook;
  /** Where parts of the document stand in its text. */
  readonly locate?: Locate;
}

/** A plan, and what is not wrong but may not be meant. */
export interface Expansion {
  readonly plan: Plan;
  readonly warnings: readonly Issue[];
}

/** What was found in a spec; `plan` is null where there are issues. */
export interface Validation {
  readonly plan: Plan | null;
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
}

/**
 * Expands a run spec into a plan.
 *
 * @throws SpecError with every issue at once.
 */
export function expandSpec(input: unknown, options: ExpandOptions): Expansion {
  const { plan, issues, warnings } = validateSpec(input, options);
  if (plan === null) throw new SpecError(issues);
  return { plan, warnings };
}

/** As `expandSpec`, but gives back what is wrong instead of throwing it. */
export function validateSpec(input: unknown, options: ExpandOptions): Validation {
  return finishSteps(validateSteps(input, options));
}

/**
 * As `expandSpec`, but lets others have their turns: a product of a million tasks takes a second.
 *
 * @throws SpecError with every issue at once.
 */
export async function expandSpecInTurns(
  input: unknown,
  options: ExpandOptions,
): Promise<Expansion> {
  const { plan, issues, warnings } = await finishInTurns(validateSteps(input, options));
  if (plan === null) throw new SpecError(issues);
  return { plan, warnings };
}

function* validateSteps(input: unknown, options: ExpandOptions): Steps<Validation> {
  const issues = new IssueList();
  const warnings = new IssueList();
  const plan = yield* planSpec(input, { options, issues, warnings });
  return {
    plan: issues.count === 0 ? plan : null,
    issues: issues.toArray(options.locate),
    warnings: warnings.toArray(options.locate),
  };
}

/** A set of generated tasks, and what it names of the run that it joins. */
export interface GeneratedValidation extends Validation {
  readonly outer: readonly OuterRef[];
}

/**
 * As `validateSpec`, of what a generator gave: names that are not in the set are left to the caller, who
 * knows the run. The plan has no end barriers: see `addGeneratorEnds`.
 */
export function* validateGenerated(
  input: unknown,
  options: ExpandOptions,
): Steps<GeneratedValidation> {
  const issues = new IssueList();
  const warnings = new IssueList();
  const outer: OuterRef[] = [];
  const plan = yield* planSpec(input, { options, issues, warnings, outer });
  return {
    plan: issues.count === 0 ? plan : null,
    issues: issues.toArray(options.locate),
    warnings: warnings.toArray(options.locate),
    outer,
  };
}

interface Context {
  readonly options: ExpandOptions;
  /** Of generated tasks: takes what is named of the run. */
  readonly outer?: OuterRef[];
  readonly issues: IssueList;
  readonly warnings: IssueList;
}

function* planSpec(input: unknown, context: Context): Steps<Plan | null> {
  const { options, issues, warnings } = context;
  const unsafe = findUnsafeValue(input);
  yield;
  if (unsafe !== undefined) {
    issues.add(unsafe.path, unsafe.message);
    return null;
  }
  const { head, isComplete } = readHead(input, issues);
  if (head === undefined) return null;
  checkWebhooks(head.webhooks, options.refuseWebhook, issues);
  const { maxProduct, maxTasks } = options.limits;
  const compiled = yield* compileEntries({
    head,
    parameters: isComplete ? readParameters(head, { issues, warnings, maxProduct }) : undefined,
    executors: options.executors,
    pools: options.pools,
    source: options.source ?? null,
    maxProduct,
    maxTasks: Math.min(maxTasks, maxNodes),
    issues,
  });
  yield;
  if (!checkTaskCount(compiled, context)) return null;
  const graph = yield* connect(compiled, { head, ...context });
  if (issues.count > 0) return null;
  const plan = yield* assemble(head, graph, context);
  // What is generated gets its ends with the nodes that are put around it.
  if (plan === null || context.outer !== undefined) return plan;
  return (yield* addGeneratorEnds(plan)) ?? addTooMany(issues);
}

function addTooMany(issues: IssueList): null {
  issues.add(['tasks'], describeTooManyNodes());
  return null;
}

function checkTaskCount({ taskCount }: Entries, { options, issues }: Context): boolean {
  const limit = Math.min(options.limits.maxTasks, maxNodes);
  if (taskCount <= limit) return true;
  issues.add(['tasks'], `the run has ${taskCount} tasks or more, over the limit of ${limit}`);
  return false;
}

/** Entries with everything that lies between them. */
interface Graph {
  readonly entries: readonly Entry[];
  readonly taskCount: number;
  readonly links: Links;
  readonly joins: ReadonlyMap<Link, Join>;
  readonly inputs: readonly (readonly InputShape[])[];
}

function* connect(compiled: Entries, context: Context & { readonly head: RunHead }): Steps<Graph> {
  const { issues, warnings, options, head } = context;
  const { entries, brokenNames, taskCount } = compiled;
  const names = new Names(entries);
  names.checkIds(issues);
  yield;
  const resolved = resolveLinks(entries, { names, brokenNames, issues, outer: context.outer });
  yield;
  const links = resolved.map((ofEntry) => simplifyLinks(ofEntry, issues));
  yield;
  yield* findCycles(entries, links, issues);
  const joins = yield* joinAll(entries, links, issues);
  const knownExecutors = new Set(options.executors.names());
  const run = { name: head.name ?? null, source: options.source ?? null };
  const inputs: (readonly InputShape[])[] = [];
  for (const entry of entries) {
    const shapes = shapeInputs(links[entry.index] ?? [], joins);
    checkOutputs(entry, shapes, { names, issues });
    checkDetails(entry, { executors: options.executors, knownExecutors, run, issues });
    inputs.push(shapes);
    if (entry.index % entriesPerStep === 0) yield;
  }
  warnOfMissingMatch(entries, links, warnings);
  return { entries, taskCount, links, joins, inputs };
}

function* joinAll(
  entries: readonly Entry[],
  links: Links,
  issues: IssueList,
): Steps<Map<Link, Join>> {
  const joins = new Map<Link, Join>();
  const joiner = new Joiner(issues);
  for (const entry of entries) {
    for (const link of links[entry.index] ?? []) {
      const join = link.kind === 'match' ? yield* joiner.join(entry, link) : undefined;
      if (join !== undefined) joins.set(link, join);
    }
  }
  joiner.checkChildren();
  return joins;
}

function* assemble(head: RunHead, graph: Graph, { options, issues }: Context): Steps<Plan | null> {
  const { entries, links, joins, inputs, taskCount } = graph;
  const barriers = findBarriers(entries, links);
  const edgeContext: EdgeContext = { entries, links, joins, barriers, taskCount, issues };
  if (!checkSize(edgeContext, options.limits.maxEdges ?? defaultMaxEdges)) return null;
  const edges = yield* buildEdges(edgeContext);
  yield;
  const { groups, groupRanges, differs } = groupEntries(entries, inputs, barriers);
  checkWebhookClasses(head.webhooks, groups, issues);
  return {
    name: head.name ?? null,
    tags: head.tags ?? {},
    nodeCount: taskCount + barriers.size,
    barrierCount: barriers.size + countBarrierTasks(entries),
    groups,
    groupRanges,
    ...edges,
    payloads: () => listPayloads(entries, differs, barriers.size),
    texts: null,
    onFailure: head.onFailure ?? 'continue',
    parallelism: head.parallelism ?? null,
    webhooks: head.webhooks ?? [],
  };
}

function checkSize(context: EdgeContext, maxEdges: number): boolean {
  const { issues, taskCount, barriers } = context;
  const nodeCount = taskCount + barriers.size;
  if (nodeCount > maxNodes) {
    const message = `the run has ${nodeCount} tasks and barriers, over the limit of ${maxNodes}`;
    issues.add(['tasks'], message);
  }
  const edgeCount = countEdges(context);
  if (edgeCount > maxEdges) {
    issues.add(['tasks'], `the run has ${edgeCount} edges, over the limit of ${maxEdges}`);
  }
  return nodeCount <= maxNodes && edgeCount <= maxEdges;
}

/** Barriers that a user wrote; those found in the graph are counted apart. */
function countBarrierTasks(entries: readonly Entry[]): number {
  return entries.reduce(
    (count, { policy, table }) => count + (policy.kind === 'barrier' ? table.count : 0),
    0,
  );
}
