export { describeSettings, maskUrl } from './describe-settings.ts';
export {
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
  startEmbeddedRedis,
} from './embedded-redis.ts';
export { isLoopback, requireTokenBeyondLoopback } from './exposure.ts';
export { type HealthOptions, type HealthServer, startHealthServer } from './health-server.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export {
  type Counter,
  createMetrics,
  type Gauge,
  type GaugeOptions,
  type Histogram,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
} from './metrics.ts';
export { findRedisServer } from './redis-server.ts';
export { repeat } from './repeat.ts';
export { createSecretSource, type SecretSourceOptions } from './secret-source.ts';
export type { Flags, Origin } from './setting-sources.ts';
export type { PoolSetting } from './setting-values.ts';
export {
  type LoadedSettings,
  loadSettings,
  logLevels,
  type SettingName,
  type Settings,
  type SettingsRequest,
  settingFields,
  settingNames,
} from './settings.ts';
export {
  onShutdown,
  type Shutdown,
  type ShutdownHost,
  type ShutdownLog,
  type ShutdownOptions,
} from './shutdown.ts';
export { judgeToken, type TokenVerdict } from './token.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
