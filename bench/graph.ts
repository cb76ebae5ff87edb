/** Tasks are 0 … count - 1, parents before their children. The same graph is given to every system. */
export interface Graph {
  readonly count: number;
  parentsOf(task: number): readonly number[];
}

/** One seed for all graphs, so that a run can be repeated. */
const seed = 20_260_101;

export function independent(count: number): Graph {
  return { count, parentsOf: () => [] };
}

export function chain(count: number): Graph {
  return { count, parentsOf: (task) => (task === 0 ? [] : [task - 1]) };
}

/** One task, `width` that wait for it, and one that waits for all of them. */
export function fan(width: number): Graph {
  const end = width + 1;
  const middle = Array.from({ length: width }, (_, index) => index + 1);
  return {
    count: width + 2,
    parentsOf(task) {
      if (task === 0) return [];
      return task === end ? middle : [0];
    },
  };
}

/** Each task of a layer waits for 3 random tasks of the layer before. */
export function layered(layers: number, width: number): Graph {
  return {
    count: layers * width,
    parentsOf(task) {
      const layer = Math.floor(task / width);
      if (layer === 0) return [];
      const random = seededRandom(seed + task);
      const parents = new Set<number>();
      while (parents.size < Math.min(3, width)) {
        parents.add((layer - 1) * width + Math.floor(random() * width));
      }
      return [...parents];
    },
  };
}

/** The other direction of the edges, in one pass. */
export function childrenOf(graph: Graph): readonly (readonly number[])[] {
  const children: number[][] = Array.from({ length: graph.count }, () => []);
  for (let task = 0; task < graph.count; task++) {
    for (const parent of graph.parentsOf(task)) children[parent]?.push(task);
  }
  return children;
}

/** mulberry32: 0 up to, not including, 1. */
export function seededRandom(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
