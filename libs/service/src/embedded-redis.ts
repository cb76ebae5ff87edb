import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type Durability, SetupError } from '@runnel/core';
import { claimRedisFolder, type FolderClaim } from './redis-folder.ts';
import { type RedisConfig, type RedisProcess, spawnRedis } from './redis-process.ts';
import { findRedisServer } from './redis-server.ts';

export interface EmbeddedRedisOptions {
  /** Where the data lives; default `.runnel/redis`. One server at a time. */
  readonly dir?: string;
  /** Nothing on disk: gone when it stops. */
  readonly memory?: boolean;
  /** Default `fast`. */
  readonly durability?: Durability;
  /** Default: a free one. */
  readonly port?: number;
  /** More lines of redis.conf, such as `{ maxmemory: '100mb' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Default: what set-up chose, else the PATH. */
  readonly server?: string;
}

export interface EmbeddedRedis extends AsyncDisposable {
  /** With the password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
}

/** Another process may take the port that was free a moment ago, but hardly ten times in a row. */
const maxTries = 10;

/**
 * A Redis of this process's own, on loopback, with a random password: other users of the machine
 * could otherwise give the workers commands. It ends with this process, however that ends.
 *
 * @throws SetupError where there is no server, the folder is in use, the port is taken, or it can't
 * be as durable as asked.
 *
 * @example
 * await using redis = await startEmbeddedRedis({ memory: true });
 */
export async function startEmbeddedRedis(
  options: EmbeddedRedisOptions = {},
): Promise<EmbeddedRedis> {
  refuseDurability(options);
  const server = options.server ?? findRedisServer();
  const dir = options.memory ? tmpdir() : resolve(options.dir ?? '.runnel/redis');
  if (!options.memory) mkdirSync(dir, { recursive: true, mode: 0o700 });
  const claim = options.memory ? null : await claimRedisFolder(dir);
  try {
    const password = randomBytes(24).toString('base64url');
    const redis = await startOnPort(server, options, describeServer(options, dir, password));
    claim?.record({ pid: redis.pid, port: redis.port, password });
    return toHandle(redis, claim, password);
  } catch (error: unknown) {
    claim?.release();
    throw error;
  }
}

/** @throws SetupError where one server without a disk or without replicas can't do what is asked. */
function refuseDurability({ durability = 'fast', memory = false }: EmbeddedRedisOptions): void {
  if (durability === 'ha') {
    throw new SetupError(
      'RUNNEL_DURABILITY=ha needs a Redis with replicas, and the one that starts here has none: ' +
        'give the address of yours (redis-sentinel://…), or use "fast" or "durable"',
    );
  }
  if (durability === 'durable' && memory) {
    throw new SetupError('RUNNEL_DURABILITY=durable needs a disk, and this Redis keeps nothing');
  }
}

function describeServer(options: EmbeddedRedisOptions, dir: string, password: string) {
  const fsync = options.durability === 'durable' ? 'always' : 'everysec';
  const storage = options.memory
    ? // A dump.rdb that happens to lie in the temporary folder must not be loaded.
      { appendonly: 'no', dbfilename: `runnel-${randomBytes(8).toString('hex')}.rdb` }
    : { appendonly: 'yes', appendfsync: fsync };
  return {
    bind: '127.0.0.1',
    requirepass: password,
    dir,
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...storage,
    ...options.config,
  };
}

async function startOnPort(
  server: string,
  options: EmbeddedRedisOptions,
  config: Omit<RedisConfig, 'port'> & { readonly requirepass: string },
): Promise<RedisProcess> {
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await findFreePort());
    const started = await spawnRedis(server, { ...config, port: String(port) });
    if (started.kind === 'started') return started.redis;
    if (!started.portTaken || (options.port === undefined && tries >= maxTries)) {
      throw new Error(`${server} did not start:\n${started.output}`);
    }
    if (options.port !== undefined) {
      throw new SetupError(`port ${port} is taken: choose another, or none for a free one`);
    }
  }
}

async function findFreePort(): Promise<number> {
  const { promise, resolve: found, reject } = Promise.withResolvers<number>();
  const probe = createServer().once('error', reject);
  probe.listen(0, '127.0.0.1', () => {
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    probe.close(() => found(port));
  });
  return promise;
}

function toHandle(redis: RedisProcess, claim: FolderClaim | null, password: string): EmbeddedRedis {
  return {
    url: `redis://:${password}@127.0.0.1:${redis.port}`,
    port: redis.port,
    pid: redis.pid,
    [Symbol.asyncDispose]: async () => {
      await redis.stop();
      claim?.release();
    },
  };
}
