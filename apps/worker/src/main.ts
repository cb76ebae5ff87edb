import { armFailpoints } from '@runnel/core';
import {
  createLogger,
  createMetrics,
  loadSettings,
  onShutdown,
  startHealthServer,
} from '@runnel/service';
import { startWorker } from './worker.ts';

armFailpoints(process.env['RUNNEL_FAILPOINTS']);
const { settings, warnings } = loadSettings();
const logger = createLogger({ name: 'worker', level: settings.logLevel });
for (const warning of warnings) logger.warn(warning);

// Beyond the grace for running tasks there is time to hand back what they leave.
const shutdown = onShutdown({ deadlineMs: settings.graceMs + 15_000, log: logger });
try {
  const metrics = createMetrics('worker');
  let whyNotReady = (): string | null => 'it is starting';
  // Before anything else: while Redis is away a start takes as long as that, and the process lives.
  const health = await startHealthServer({ settings, metrics, whyNotReady: () => whyNotReady() });
  if (health !== null) shutdown.defer('health', () => health[Symbol.asyncDispose]());
  const worker = await startWorker({ settings, logger, metrics });
  shutdown.defer('worker', () => worker[Symbol.asyncDispose]());
  whyNotReady = () => worker.whyNotReady();
} catch (error: unknown) {
  logger.fatal({ err: error }, error instanceof Error ? error.message : 'the worker did not start');
  await shutdown.stop('failed to start', 1);
}
