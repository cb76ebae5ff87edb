import { armFailpoints } from '@runnel/core';
import {
  createLogger,
  createMetrics,
  loadSettings,
  onShutdown,
  startHealthServer,
} from '@runnel/service';
import { startListener } from './listener.ts';

armFailpoints(process.env['RUNNEL_FAILPOINTS']);
const { settings, warnings } = loadSettings();
const logger = createLogger({ name: 'listener', level: settings.logLevel });
for (const warning of warnings) logger.warn(warning);

const shutdown = onShutdown({ deadlineMs: 15_000, log: logger });
try {
  const metrics = createMetrics('listener');
  const listener = await startListener({ settings, logger, metrics });
  shutdown.defer('listener', () => listener[Symbol.asyncDispose]());
  const health = await startHealthServer({
    port: settings.healthPort,
    metrics,
    whyNotReady: () => listener.whyNotReady(),
  });
  if (health !== null) shutdown.defer('health', () => health[Symbol.asyncDispose]());
} catch (error: unknown) {
  logger.fatal(
    { err: error },
    error instanceof Error ? error.message : 'the listener did not start',
  );
  await shutdown.stop('failed to start', 1);
}
