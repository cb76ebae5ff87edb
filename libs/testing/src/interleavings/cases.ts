import fc from 'fast-check';
import { type GrowingGraph, growingArbitrary, withFreshTasks } from '../growing-graph.ts';
import { type Graph, graphArbitrary } from '../random-graph.ts';
import type { ChangeKind, Scene } from './scene.ts';
import type { Order } from './schedule.ts';

export interface Case {
  readonly scene: Scene;
  readonly order: Order;
}

const changeKinds: readonly ChangeKind[] = ['pause', 'pause-class', 'cancel-class', 'retry'];
const changesBesideEdits: readonly ChangeKind[] = ['pause', 'cancel-class', 'retry', 'edit'];

/** Small graphs, small windows, and a tape of choices: what shrinks still says the same. */
export function cases(grows?: boolean): fc.Arbitrary<Case> {
  return fc.record({ scene: scenes({ min: 3, max: 12, grows }), order: orders() });
}

/** Runs of `min` to `max` nodes, with what is set around them. */
export function scenes({
  min,
  max,
  grows,
}: {
  readonly min: number;
  readonly max: number;
  /** Whether tasks generate tasks; not said: some do. */
  readonly grows?: boolean | undefined;
}): fc.Arbitrary<Scene> {
  return fc
    .record({
      graph: fc.tuple(graphArbitrary(max, min), fc.boolean()).map(inFewGroups),
      maxBatch: fc.integer({ min: 1, max: 4 }),
      window: fc.integer({ min: 1, max: 4 }),
      slots: fc.integer({ min: 1, max: 2 }),
      parallelism: fc.constantFrom(null, null, null, 2),
      stopsOnFailure: oneOf(6),
      isCancelled: oneOf(5),
      reportsOnly: oneOf(3),
      slowSubmission: fc.constantFrom(null, null, null, null, null, null, 1, 2, 3),
      poison: fc.constantFrom(null, null, null, null, 0, 1, 3),
      changes: fc.oneof(
        { arbitrary: fc.constant([]), weight: 3 },
        {
          arbitrary: fc.array(fc.constantFrom(...changeKinds), { minLength: 1, maxLength: 3 }),
          weight: 1,
        },
        { arbitrary: editsAmong(), weight: 1 },
      ),
      growing: growths(Math.min(max, 5), grows),
      isLargeSet: oneOf(6),
      edits: fc.array(fc.nat(65_535), { minLength: 1, maxLength: 60, size: 'max' }),
    })
    .map(withoutPoisonousBarrier)
    .map(evenWhereChanged);
}

/** What is run again ends as before, whichever of its attempts that is. */
export function evenWhereChanged(scene: Scene): Scene {
  // Runs with generators are not edited here.
  if (scene.changes.includes('edit') && scene.growing !== null)
    return evenWhereChanged({ ...scene, growing: null });
  if (scene.growing !== null) return evenWhereGrowing(scene, scene.growing);
  const calm = { ...scene, poison: null, stopsOnFailure: false };
  if (!scene.changes.includes('retry')) return scene.changes.includes('edit') ? calm : scene;
  const graph = scene.graph.map((node) => ({
    ...node,
    attempts: node.attempts.slice(0, 1),
  }));
  return { ...calm, graph };
}

function evenWhereGrowing(scene: Scene, growing: GrowingGraph): Scene {
  const isRetried = scene.changes.includes('retry');
  const graph = isRetried ? withFreshTasks(inOneAttempt(growing)) : growing;
  return { ...scene, growing: graph, poison: null, stopsOnFailure: false };
}

function growths(most: number, grows: boolean | undefined): fc.Arbitrary<GrowingGraph | null> {
  if (grows === undefined) return fc.option(growingArbitrary(most), { freq: 4 });
  return grows ? growingArbitrary(most) : fc.constant(null);
}

function inOneAttempt(graph: GrowingGraph): GrowingGraph {
  return graph.map((node) => ({
    ...node,
    isRetried: false,
    set: node.set === null ? null : inOneAttempt(node.set),
  }));
}

/** An edit, and perhaps something else before or after it. */
function editsAmong(): fc.Arbitrary<readonly ChangeKind[]> {
  return fc.oneof(
    { arbitrary: fc.constant<ChangeKind[]>(['edit']), weight: 2 },
    fc
      .tuple(fc.constantFrom(...changesBesideEdits), fc.boolean())
      .map(([other, isFirst]): ChangeKind[] => (isFirst ? [other, 'edit'] : ['edit', other])),
  );
}

/** A barrier runs nowhere. */
function withoutPoisonousBarrier(scene: Scene): Scene {
  const { graph, poison } = scene;
  const isTask = poison !== null && graph[poison]?.isBarrier === false;
  return isTask ? scene : { ...scene, poison: null };
}

/** Half of the graphs are of one group: only tasks of one group travel together. */
function inFewGroups([graph, isOne]: [Graph, boolean]): Graph {
  const [first] = graph;
  if (!isOne || first === undefined) return graph;
  const { retries, allowFailure } = first;
  return graph.map((node) => ({ ...node, retries, allowFailure }));
}

function orders(): fc.Arbitrary<Order> {
  return fc.record({
    skip: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 })),
    // `max`: short tapes reach little.
    deaf: fc.oneof(fc.constant(0), fc.nat(80)),
    tape: fc.array(fc.nat(65_535), { maxLength: 80, size: 'max' }),
  });
}

/** True once in so many. */
function oneOf(times: number): fc.Arbitrary<boolean> {
  return fc.nat(times - 1).map((number) => number === times - 1);
}
