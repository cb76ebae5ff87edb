import { type LaterEdges, readLaterParents } from '../growth/later-edges.ts';
import { toUint32 } from '../packed.ts';
import type { RunHandle } from '../run-handle.ts';
import type { RedisClient } from '../script.ts';

/** Nodes whose state bytes one read brings. */
const statesPerPage = 65_536;
/** Nodes whose parent lists one read brings, where they are short. */
const nodesPerPage = 1_024;
const edgesPerPage = 16_384;
/** Parents of one node that are read at most: 1 MB. */
const mostParents = 262_144;

/** The parents of one page of nodes. */
interface ParentPage {
  readonly first: number;
  readonly offsets: Uint32Array;
  /** Null where they are too many to be read together. */
  readonly edges: Uint32Array | null;
}

/** Parents and states of single nodes for walks through a graph: neighbours come in the same read. */
export class NodePages {
  readonly #redis: RedisClient;
  readonly #names: RunHandle['names'];
  readonly #states = new Map<number, Promise<Buffer>>();
  #later: Promise<LaterEdges> | undefined;
  readonly #parents = new Map<number, Promise<ParentPage>>();

  constructor(redis: RedisClient, run: Pick<RunHandle, 'names'>) {
    this.#redis = redis;
    this.#names = run.names;
  }

  /** The state byte, as it was when it was first read. */
  async stateOf(node: number): Promise<number> {
    const [code = 0] = await this.statesOf([node]);
    return code;
  }

  async statesOf(nodes: Iterable<number>): Promise<readonly number[]> {
    const codes: number[] = [];
    for (const node of nodes) {
      const page = await this.#statePage(Math.floor(node / statesPerPage));
      codes.push(page[node % statesPerPage] ?? 0);
    }
    return codes;
  }

  /** Packed edges to the parents, ascending by id; `total` counts also those that are not read. */
  async parentsOf(node: number): Promise<{ readonly edges: Uint32Array; readonly total: number }> {
    const page = await this.#parentPage(Math.floor(node / nodesPerPage));
    const at = node % nodesPerPage;
    const from = page.offsets[at] ?? 0;
    const to = page.offsets[at + 1] ?? from;
    const own =
      page.edges === null
        ? await this.#readEdges(from, Math.min(to, from + mostParents))
        : page.edges.subarray(from - page.first, to - page.first);
    this.#later ??= readLaterParents(this.#redis, { names: this.#names });
    const later = (await this.#later).get(node);
    if (later === undefined) return { edges: own, total: to - from };
    return { edges: Uint32Array.from([...own, ...later]), total: to - from + later.length };
  }

  #statePage(page: number): Promise<Buffer> {
    return kept(this.#states, page, () => {
      const first = page * statesPerPage;
      return this.#redis.getrangeBuffer(this.#names.state, first, first + statesPerPage - 1);
    });
  }

  #parentPage(page: number): Promise<ParentPage> {
    return kept(this.#parents, page, async () => {
      const at = page * nodesPerPage * 4;
      const key = this.#names.parentOffsets;
      const raw = await this.#redis.getrangeBuffer(key, at, at + nodesPerPage * 4 + 3);
      const offsets = toUint32(raw);
      const first = offsets[0] ?? 0;
      const last = offsets.at(-1) ?? first;
      const isShort = last - first <= edgesPerPage;
      return { first, offsets, edges: isShort ? await this.#readEdges(first, last) : null };
    });
  }

  async #readEdges(from: number, to: number): Promise<Uint32Array> {
    if (to <= from) return new Uint32Array();
    return toUint32(await this.#redis.getrangeBuffer(this.#names.parents, from * 4, to * 4 - 1));
  }
}

function kept<Value>(
  pages: Map<number, Promise<Value>>,
  page: number,
  read: () => Promise<Value>,
): Promise<Value> {
  const known = pages.get(page);
  if (known !== undefined) return known;
  const reading = read();
  pages.set(page, reading);
  return reading;
}
