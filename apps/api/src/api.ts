import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { openArchive } from '@runnel/archive';
import {
  addressRules,
  type Clock,
  parseAllowedPlaces,
  SetupError,
  systemClock,
} from '@runnel/core';
import { executorCatalog, loadExecutors } from '@runnel/executors';
import {
  type Logger,
  type Metrics,
  requireTokenBeyondLoopback,
  type Settings,
} from '@runnel/service';
import {
  checkRedis,
  connectRedis,
  connectRedisForRequests,
  fenceOf,
  LiveRuns,
  openStore,
  RunInfoCache,
} from '@runnel/store';
import { createApp } from './app.ts';
import { ArchivedRuns } from './archive/archived-runs.ts';
import { createBoard } from './bull-board.ts';
import type { ApiContext } from './context.ts';
import { RunEstimates } from './estimates.ts';
import { RunHistory } from './history.ts';
import { RoomGuard } from './room-guard.ts';
import { RunChannels } from './run-channels.ts';
import { warmUp } from './warm-up.ts';

export interface ApiDependencies {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** How long a client may send nothing of a body that it has begun. Default 30 s. */
  readonly bodySilenceMs?: number;
}

/** A running API; disposing it ends followed logs and feeds, and waits for what else is open. */
export interface RunningApi extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:2503`. */
  readonly url: string;
  readonly port: number;
}

/** Requests that are open when the process is asked to stop get so long. */
const finishMs = 10_000;
const sweepMs = 50;
const bodySilenceMs = 30_000;

/**
 * Starts the API; waits for Redis if it is not there yet.
 *
 * @throws SetupError where others could reach it without a token, Redis may evict keys or is too old,
 * or the port is taken.
 */
export async function startApi(
  settings: Settings,
  dependencies: ApiDependencies,
): Promise<RunningApi> {
  requireTokenBeyondLoopback(settings);
  await using open = new AsyncDisposableStack();
  requireReachableWebhooks(settings);
  const { logger } = dependencies;
  const onError = (error: Error): void => logger.warn({ err: error }, error.message);
  const executors = await loadExecutors({ modules: settings.executors });
  const subscriber = open.adopt(connectRedis(settings.redisUrl, onError), (it) => it.disconnect());
  await checkRedis(subscriber, {
    durability: settings.durability,
    warn: (message) => logger.warn(message),
  });
  await openStore(subscriber, settings.namespace);
  const redis = open.adopt(connectRedisForRequests(settings.redisUrl, onError), (it) =>
    it.disconnect(),
  );
  const stopping = new AbortController();
  const { namespace } = settings;
  const clock = dependencies.clock ?? systemClock;
  const archive = await openArchive({ ...settings, onError });
  open.defer(() => archive?.[Symbol.asyncDispose]());
  const room = new RoomGuard(redis, clock);
  const infos = new RunInfoCache(redis, namespace);
  const live = new LiveRuns(redis, namespace);
  const history = new RunHistory({ redis, namespace, infos, live, archive, clock, onError });
  const context: ApiContext = {
    settings,
    redis,
    fence: fenceOf(redis, settings),
    infos,
    archive,
    runs: new ArchivedRuns({ archive, redis, namespace, room, clock }),
    live,
    room,
    history,
    estimates: new RunEstimates({ redis, settings, clock, history }),
    executors,
    catalog: executorCatalog(executors),
    channels: new RunChannels({ subscriber, namespace, onError }),
    logger,
    metrics: dependencies.metrics,
    clock,
    bodySilenceMs: dependencies.bodySilenceMs ?? bodySilenceMs,
    stopping: stopping.signal,
  };
  dependencies.metrics.gauge({
    name: 'followed_logs',
    help: 'Logs and feeds that are being followed',
    read: () => context.channels.size,
  });
  const board = open.use(createBoard(context));
  warmUp(context);
  // A large body may take longer than any fixed time: silence is what ends it.
  const server = createServer({ requestTimeout: 0 }, createApp(context, board));
  const { url, port } = await listen(server, settings);
  open.defer(() => close(server));
  open.defer(() => stopping.abort());
  logger.info({ url }, 'listening');
  const rest = open.move();
  return { url, port, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** Those of the settings go by the same rules as those of a spec. */
function requireReachableWebhooks({ webhooks, webhookAllow }: Settings): void {
  const rules = addressRules(parseAllowedPlaces(webhookAllow));
  const refusals = webhooks.flatMap(({ url }, index) => {
    const refusal = rules.refuseUrl(url);
    return refusal === null ? [] : [`RUNNEL_WEBHOOKS: [${index}].url: ${refusal}`];
  });
  if (refusals.length > 0) throw new SetupError(refusals.join('\n'));
}

async function listen(
  server: Server,
  { host, port }: Settings,
): Promise<{ readonly url: string; readonly port: number }> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SetupError(`the API can't listen on ${host}:${port}: ${why}`, { cause: error });
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, port: bound };
}

/** Takes no more requests, lets open ones finish for a while, then breaks them off. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // Connections are kept open for more requests, also those whose last answer goes out only now.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
  const deadline = setTimeout(() => server.closeAllConnections(), finishMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
