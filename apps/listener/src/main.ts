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
  let whyNotReady = (): string | null => 'it is starting';
  // Before anything else: while Redis is away a start takes as long as that, and the process lives.
  const health = await startHealthServer({ settings, metrics, whyNotReady: () => whyNotReady() });
  if (health !== null) shutdown.defer('health', () => health[Symbol.asyncDispose]());
  const listener = await startListener({ settings, logger, metrics });
  shutdown.defer('listener', () => listener[Symbol.asyncDispose]());
  whyNotReady = () => listener.whyNotReady();
} catch (error: unknown) {
  logger.fatal(
    { err: error },
    error instanceof Error ? error.message : 'the listener did not start',
  );
  await shutdown.stop('failed to start', 1);
}
