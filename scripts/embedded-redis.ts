import { startEmbeddedRedis } from '@runnel/service';

// Starts a Redis server of its own until it is stopped: `node scripts/embedded-redis.ts [--memory] [--port N]`.
// The address goes to standard output.
const { argv } = process;
const port = argv.includes('--port') ? { port: Number(argv[argv.indexOf('--port') + 1]) } : {};
await using redis = await startEmbeddedRedis({ memory: argv.includes('--memory'), ...port });
process.stdout.write(`${redis.url}\n`);

const { promise: asked, resolve: stop } = Promise.withResolvers<void>();
process.on('SIGTERM', stop).on('SIGINT', stop);
// A pending promise alone does not keep a process running.
const keepAlive = setInterval(() => undefined, 1 << 30);
await asked;
clearInterval(keepAlive);
