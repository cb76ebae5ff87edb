import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type WireTaskSummary } from '@runnel/client';
import fc from 'fast-check';
import { expect } from 'vitest';
import { attemptEnds, finalRunState, finalStates } from '../model.ts';
import { type Graph, type GraphNode, graphArbitrary } from '../random-graph.ts';
import { Stack, type StackOptions } from '../stack.ts';
import { readJournal, waitForEnd } from './wait-for.ts';

/** An api, two listeners and three workers that can carry out what `playGraphs` submits. */
export function startForGraphs(options: StackOptions = {}): Promise<Stack> {
  const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
  const env = { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '2', ...options.env };
  return Stack.start({ api: true, listeners: 2, workers: 3, ...options, env });
}

/** Runs random graphs and compares what became of them with the table of the model. */
export async function playGraphs(stack: Stack, numRuns: number): Promise<void> {
  const client = createClient({ url: stack.apiUrl });
  let count = 0;
  await fc.assert(
    fc.asyncProperty(graphArbitrary(300), async (graph) => {
      const journal = join(stack.dir, `journal-${count++}`);
      const { id } = await client.submitRun({ value: specOf(graph, journal) });

      const run = await waitForEnd(client, id);

      expect(run.state).toBe(finalRunState(graph));
      const states = new Map((await allTasks(client, id)).map((task) => [task.id, task.state]));
      const expected = finalStates(graph);
      graph.forEach((node, index) => {
        if (!node.isBarrier) expect(states.get(`t${index}`)).toBe(expected[index]);
      });
      checkJournal(graph, expected, readJournal(journal));
      expect(run.duplicates).toBe(0);
    }),
    { numRuns, endOnFailure: true },
  );
}

/** Each attempt ran once, in order, and after the last attempt of every parent that it waits for. */
function checkJournal(graph: Graph, expected: readonly string[], journal: readonly string[]): void {
  const last = new Map<number, number>();
  const attempts = new Map<number, number>();
  journal.forEach((line, at) => {
    const [id = -1, attempt = -1] = line.split(' ').map(Number);
    expect(attempt).toBe((attempts.get(id) ?? 0) + 1);
    attempts.set(id, attempt);
    if (attempt === 1) checkParents(graph, graph[id], attempts);
    last.set(id, at);
  });
  graph.forEach((node, id) => {
    const ran = !node.isBarrier && ['succeeded', 'failed'].includes(expected[id] ?? '');
    expect(attempts.get(id) ?? 0).toBe(ran ? attemptEnds(node).length : 0);
  });
}

function checkParents(
  graph: Graph,
  node: GraphNode | undefined,
  attempts: ReadonlyMap<number, number>,
): void {
  if (node === undefined || node.runIf.startsWith('any-')) return;
  for (const { id } of node.parents) {
    const parent = graph[id];
    if (parent === undefined || parent.isBarrier || !attempts.has(id)) continue;
    expect(attempts.get(id)).toBe(attemptEnds(parent).length);
  }
}

function specOf(graph: Graph, journal: string): unknown {
  return {
    tasks: graph.map((node, id) => ({
      class: node.isBarrier ? 'gate' : `c${id % 3}`,
      id: `t${id}`,
      ...(node.parents.length === 0
        ? {}
        : { parents: node.parents.map((parent) => parentOf(node, parent)) }),
      runIf: node.runIf,
      ...(node.isBarrier ? { kind: 'barrier' } : workOf(node, id, journal)),
    })),
  };
}

function parentOf(node: GraphNode, parent: GraphNode['parents'][number]): unknown {
  const on = node.runIf === 'all-succeeded' ? { on: parent.on } : {};
  return { id: `t${parent.id}`, ...on };
}

function workOf(node: GraphNode, id: number, journal: string): object {
  return {
    executor: 'function',
    details: { name: 'act', input: { journal, id, attempts: node.attempts } },
    retries: { limit: node.retries, backoff: '1ms' },
    allowFailure: node.allowFailure,
  };
}

async function allTasks(client: Client, id: string): Promise<readonly WireTaskSummary[]> {
  const tasks: WireTaskSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.getTasks(id, {
      limit: 200,
      ...(cursor === undefined ? {} : { cursor }),
    });
    tasks.push(...page.tasks);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return tasks;
}
