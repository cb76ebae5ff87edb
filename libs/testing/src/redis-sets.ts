import { PeerWire } from './peer-wire.ts';
import { freePort, RedisNode, waitUntil } from './redis-node.ts';

/** Servers that belong together. */
export interface RedisSet extends AsyncDisposable {
  /** As a setting takes it. */
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  /** Who is the master now; of a Cluster the first. */
  master(): Promise<RedisNode>;
}

/** A set in which each server can be cut off from the others. */
export interface SentinelSet extends RedisSet {
  /** The wire before each node, in their order. */
  readonly wires: readonly PeerWire[];
}

const masterName = 'main';
const durable = ['appendonly yes', 'save ""', 'repl-diskless-sync-delay 0'];

/** A master, two replicas and three Sentinels that take a second of silence for a death. */
export async function startSentinels(
  dir: string,
  lines: readonly string[] = [],
): Promise<SentinelSet> {
  await using open = new AsyncDisposableStack();
  const nodes: RedisNode[] = [];
  const wires: PeerWire[] = [];
  for (const name of ['r0', 'r1', 'r2']) {
    const at = nodes.length;
    const wire = open.use(await PeerWire.open(() => nodes[at]?.port ?? 0));
    const [main] = wires;
    const follow = main === undefined ? [] : [`replicaof 127.0.0.1 ${main.port}`];
    const own = [`replica-announce-port ${wire.port}`, 'replica-announce-ip 127.0.0.1', ...follow];
    wires.push(wire);
    nodes.push(
      open.use(await RedisNode.start({ dir, name, lines: [...durable, ...own, ...lines] })),
    );
  }
  const sentinels = await startWatchers(dir, { nodes, wires, open });
  const rest = open.move();
  return {
    url: `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/${masterName}`,
    nodes,
    wires,
    master: () => findMaster({ nodes, wires }, sentinels),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

interface Watched {
  readonly nodes: readonly RedisNode[];
  readonly wires: readonly PeerWire[];
}

async function startWatchers(
  dir: string,
  { nodes, wires, open }: Watched & { readonly open: AsyncDisposableStack },
): Promise<readonly RedisNode[]> {
  const [first] = nodes;
  if (first === undefined) return [];
  await waitUntil('two replicas', async () =>
    /connected_slaves:2[\s\S]*lag=[01]\b[\s\S]*lag=[01]\b/.test(
      await first.client.info('replication'),
    ),
  );
  const sentinels: RedisNode[] = [];
  for (const name of ['s0', 's1', 's2']) {
    const lines = watching(wires[0]?.port ?? 0);
    sentinels.push(open.use(await RedisNode.start({ dir, name, isSentinel: true, lines })));
  }
  for (const { client } of sentinels) {
    await waitUntil('Sentinels that know each other and the replicas', async () => {
      const known = await client.call('SENTINEL', 'SENTINELS', masterName);
      const replicas = await client.call('SENTINEL', 'REPLICAS', masterName);
      return asList(known).length === 2 && asList(replicas).length === 2;
    });
  }
  return sentinels;
}

function watching(port: number): readonly string[] {
  return [
    `sentinel monitor ${masterName} 127.0.0.1 ${port} 2`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 5000`,
    `sentinel parallel-syncs ${masterName} 1`,
  ];
}

async function findMaster(
  { nodes, wires }: Watched,
  sentinels: readonly RedisNode[],
): Promise<RedisNode> {
  for (const { client } of sentinels) {
    const address = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName);
    const port = Number(asList(address)[1]);
    const found = nodes[wires.findIndex((wire) => wire.port === port)];
    if (found !== undefined) return found;
  }
  throw new Error('no Sentinel knows the master');
}

/** A Cluster of three masters, with or without a replica each. */
export async function startCluster(
  dir: string,
  options: { readonly hasReplicas?: boolean; readonly lines?: readonly string[] } = {},
): Promise<RedisSet> {
  await using open = new AsyncDisposableStack();
  const count = options.hasReplicas === true ? 6 : 3;
  const nodes: RedisNode[] = [];
  const buses: number[] = [];
  for (let index = 0; index < count; index++) {
    const bus = await freePort();
    const cluster = ['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${bus}`];
    const lines = [...durable, ...cluster, ...(options.lines ?? [])];
    buses.push(bus);
    nodes.push(open.use(await RedisNode.start({ dir, name: `n${index}`, lines })));
  }
  await join(nodes, buses);
  const rest = open.move();
  return {
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`,
    nodes,
    master: async () => nodes[0] ?? Promise.reject(new Error('there is no node')),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

const masters = 3;
const slots = 16_384;

async function join(nodes: readonly RedisNode[], buses: readonly number[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  for (const [index, node] of nodes.entries()) {
    await node.client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index > 0) {
      await first.client.call('CLUSTER', 'MEET', '127.0.0.1', node.port, buses[index] ?? 0);
    }
    if (index >= masters) continue;
    const from = Math.ceil((slots * index) / masters);
    const to = Math.ceil((slots * (index + 1)) / masters) - 1;
    await node.client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const { client } of nodes) {
    await waitUntil('nodes that know each other', async () => {
      const info = String(await client.call('CLUSTER', 'INFO'));
      return info.includes(`cluster_known_nodes:${nodes.length}`) && info.includes('state:ok');
    });
  }
  for (const [index, node] of nodes.slice(masters).entries()) {
    const id = String(await nodes[index]?.client.call('CLUSTER', 'MYID'));
    await waitUntil('a replica', () =>
      node.client.call('CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      ),
    );
  }
}

function asList(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
