import { armFailpoints } from '@runnel/core';
import { createLogger, createMetrics, loadSettings, onShutdown } from '@runnel/service';
import { startApi } from './api.ts';

armFailpoints(process.env['RUNNEL_FAILPOINTS']);
const { settings, warnings } = loadSettings();
const logger = createLogger({
  name: 'api',
  level: settings.logLevel,
  secrets: [settings.token],
});
for (const warning of warnings) logger.warn(warning);

const shutdown = onShutdown({ deadlineMs: settings.graceMs + 15_000, log: logger });
try {
  const api = await startApi(settings, { logger, metrics: createMetrics('api') });
  shutdown.defer('api', () => api[Symbol.asyncDispose]());
} catch (error: unknown) {
  logger.fatal({ err: error }, error instanceof Error ? error.message : 'the API did not start');
  await shutdown.stop('failed to start', 1);
}
