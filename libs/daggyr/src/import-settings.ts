import { formatPath, type Issue, SpecError } from '@runnel/core';
import type { z } from 'zod';
import { describePool } from './pool-remarks.ts';
import {
  type AgentConfig,
  agentConfig,
  isAgentConfig,
  type PoolConfig,
  type ServerConfig,
  serverConfig,
} from './read-config.ts';

/** A settings file of Runnel's, as far as DaggyR's settings tell one. */
export interface ImportedSettings {
  readonly host?: string;
  readonly port?: number;
  /** Pools that a worker started with this file serves. */
  readonly pools?: readonly string[];
  readonly knownPools?: readonly string[];
  readonly concurrency?: number;
}

export interface Imported {
  readonly settings: ImportedSettings;
  /** What has no counterpart, or needs a hand. */
  readonly remarks: readonly string[];
}

/**
 * Translates a `server.json` or `agent.json` of DaggyR's.
 *
 * @throws SpecError with everything that is not as DaggyR writes it.
 */
export function importSettings(document: unknown): Imported {
  if (isAgentConfig(document)) return importAgent(parse(agentConfig, document));
  return importServer(parse(serverConfig, document));
}

function parse<T>(schema: z.ZodType<T>, document: unknown): T {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new SpecError(
    parsed.error.issues.map((issue): Issue => {
      const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
      return { path, message: describe(issue) };
    }),
  );
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    return 'no executor of DaggyR: expected local, ssh, agent, slurm or noop';
  }
  return issue.message;
}

/** Names of pools here. */
const poolName = /^[A-Za-z_][\w-]{0,63}$/;

function importServer(config: ServerConfig): Imported {
  const all = Object.entries(config.pools ?? {});
  const pools = all.filter(([name]) => poolName.test(name));
  const { ip, port } = config.server ?? {};
  const standard = config.default_pool ?? all[0]?.[0] ?? 'default';
  return {
    settings: {
      ...(ip === undefined ? {} : { host: ip }),
      ...(port === undefined ? {} : { port }),
      ...settingsOfPools(pools, standard),
    },
    remarks: [
      ...remarksOnServer(config),
      ...all.flatMap(([name, pool]) =>
        poolName.test(name) ? [...describePool(name, pool, name === standard)] : [refuseName(name)],
      ),
      ...remarksOnLocal(pools),
    ],
  };
}

type Pools = readonly (readonly [name: string, pool: PoolConfig])[];

function settingsOfPools(pools: Pools, standard: string): ImportedSettings {
  const local = pools.filter(([, { executor }]) => executor === 'local').map(([name]) => name);
  const workers = pools.flatMap(([, pool]) =>
    pool.executor === 'local' && typeof pool.workers === 'number' ? [pool.workers] : [],
  );
  // Runs that name no pool go to "default" here.
  const served = local.includes(standard) ? ['default', ...local] : local;
  const known = new Set(['default', ...pools.map(([name]) => name)]);
  return {
    ...(local.length === 0 ? {} : { pools: [...new Set(served)] }),
    ...(known.size === 1 ? {} : { knownPools: [...known] }),
    ...(workers.length === 0 ? {} : { concurrency: Math.max(...workers) }),
  };
}

function refuseName(name: string): string {
  const place = formatPath(['pools', name]);
  return `${place}: no name for a pool here (letters, digits, "_", "-"): it is left out; runs that name it go to "default"`;
}

const loopback = ['127.0.0.1', '::1', 'localhost'];

function* remarksOnServer(config: ServerConfig): Generator<string> {
  const ip = config.server?.ip;
  if (ip !== undefined && !loopback.includes(ip)) {
    yield `server.ip: ${ip} can be reached from other machines; the API starts there only with a token: set RUNNEL_TOKEN, and give it to clients (Authorization: Bearer …)`;
  }
  yield 'clients: their base URL gets "/daggyr" at its end, such as http://127.0.0.1:2503/daggyr';
  if (config.tracker !== undefined) {
    yield 'tracker: there is none to choose: runs are in Redis (RUNNEL_REDIS_URL), and outlive every process';
  }
  const known = ['server', 'pools', 'tracker', 'default_pool'];
  for (const field of Object.keys(config)) {
    if (!known.includes(field)) yield `${field}: not known, left out`;
  }
}

/** A worker has one concurrency, for each of its pools. */
function* remarksOnLocal(pools: Pools): Generator<string> {
  const sizes = pools.flatMap(([name, pool]) =>
    pool.executor === 'local' ? [`${name}: ${pool.workers ?? 'cores - 2'}`] : [],
  );
  if (sizes.length > 1) {
    yield `concurrency: it is the same for all pools of a worker, here there were several (${sizes.join(', ')}): start a worker for each pool, with RUNNEL_POOLS and RUNNEL_CONCURRENCY`;
  }
}

function importAgent({ ip, port, workers }: AgentConfig): Imported {
  const address = `${ip ?? '127.0.0.1'}:${port ?? 2504}`;
  return {
    settings: workers === undefined ? {} : { concurrency: workers },
    remarks: [
      `agent: instead of an agent that listens on ${address}, start a worker on that machine with this file: it listens on nothing and asks Redis for work; set RUNNEL_REDIS_URL there, and RUNNEL_POOLS to the pool that named this agent`,
    ],
  };
}
