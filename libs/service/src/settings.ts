import { availableParallelism } from 'node:os';
import { durabilities, SetupError } from '@runnel/core';
import { z } from 'zod';
import {
  type Flags,
  type Origin,
  readSources,
  type SettingField,
  type SourcedSetting,
} from './setting-sources.ts';
import {
  archiveAddress,
  duration,
  durationOrForever,
  integer,
  list,
  moduleList,
  oneOf,
  optional,
  path,
  poolMap,
  type RawSetting,
  redisAddress,
  size,
  textMatching,
  url,
} from './setting-values.ts';
import { allowedPlaces, webhookList } from './webhook-settings.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Everything that can be set, for all processes. */
const settingsSchema = z.strictObject({
  redisUrl: redisAddress(),
  durability: oneOf(durabilities),
  namespace: textMatching(/^[A-Za-z][\w-]{0,31}$/, '1 to 32 letters, digits, "_" or "-"'),
  host: textMatching(/^[\w.:-]+$/, 'an address or host name'),
  port: integer(0, 65_535),
  token: optional(textMatching(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')),
  allowedHosts: list(),
  allowedOrigins: list(),
  publicUrl: optional(url(['http:', 'https:'], 'https://runnel.example.org')),
  dataDir: path(),
  concurrency: integer(1, 4096),
  waitConcurrency: integer(1, 100_000),
  pools: list(),
  knownPools: poolMap(),
  executors: moduleList(),
  functions: moduleList(),
  secretsDir: optional(path()),
  keepMs: duration(),
  archive: archiveAddress(),
  archiveKeepMs: durationOrForever(),
  archiveMost: optional(integer(1, 1_000_000_000)),
  webhooks: webhookList(),
  webhookAllow: allowedPlaces(),
  // Ids have 24 bits.
  maxTasks: integer(1, 16_777_216),
  maxProduct: integer(1, 16_777_216),
  // Of four bytes each, so many fill the largest string of Redis.
  maxEdges: integer(1, 134_217_728),
  maxBodyBytes: size(),
  logTailBytes: size(),
  logRunBytes: size(),
  graceMs: duration(),
  killGraceMs: duration(),
  maxDeaths: integer(1, 100),
  logLevel: oneOf(logLevels),
  healthHost: textMatching(/^[\w.:-]+$/, 'an address or host name'),
  healthPort: integer(0, 65_535),
});

export type Settings = Readonly<z.infer<typeof settingsSchema>>;
export type SettingName = keyof Settings;

export const settingFields: Readonly<Record<SettingName, SettingField>> = {
  redisUrl: {
    key: 'redisUrl',
    env: ['RUNNEL_REDIS_URL', 'REDIS_URL'],
    fallback: 'redis://127.0.0.1:6379',
  },
  durability: { key: 'durability', env: ['RUNNEL_DURABILITY'], fallback: 'fast' },
  namespace: { key: 'namespace', env: ['RUNNEL_NAMESPACE'], fallback: 'runnel' },
  host: { key: 'host', env: ['RUNNEL_HOST'], fallback: '127.0.0.1' },
  port: { key: 'port', env: ['RUNNEL_PORT'], fallback: 2503 },
  token: { key: 'token', env: ['RUNNEL_TOKEN'], fallback: null, secret: true },
  allowedHosts: { key: 'allowedHosts', env: ['RUNNEL_ALLOWED_HOSTS'], fallback: [] },
  allowedOrigins: { key: 'allowedOrigins', env: ['RUNNEL_ALLOWED_ORIGINS'], fallback: [] },
  publicUrl: { key: 'publicUrl', env: ['RUNNEL_PUBLIC_URL'], fallback: null },
  dataDir: { key: 'dataDir', env: ['RUNNEL_DATA'], fallback: '.runnel/data' },
  concurrency: {
    key: 'concurrency',
    env: ['RUNNEL_CONCURRENCY'],
    // Two cores are left to Redis and to the worker's own loop.
    fallback: Math.max(1, availableParallelism() - 2),
  },
  waitConcurrency: { key: 'waitConcurrency', env: ['RUNNEL_WAIT_CONCURRENCY'], fallback: 1000 },
  pools: { key: 'pools', env: ['RUNNEL_POOLS'], fallback: ['default'] },
  knownPools: { key: 'knownPools', env: ['RUNNEL_KNOWN_POOLS'], fallback: ['default'] },
  executors: { key: 'executors', env: ['RUNNEL_EXECUTORS'], fallback: [] },
  functions: { key: 'functions', env: ['RUNNEL_FUNCTIONS'], fallback: [] },
  secretsDir: { key: 'secrets', env: ['RUNNEL_SECRETS'], fallback: null },
  webhooks: { key: 'webhooks', env: ['RUNNEL_WEBHOOKS'], fallback: [] },
  webhookAllow: { key: 'webhookAllow', env: ['RUNNEL_WEBHOOK_ALLOW'], fallback: [] },
  keepMs: { key: 'keep', env: ['RUNNEL_KEEP'], fallback: '24h' },
  archive: { key: 'archive', env: ['RUNNEL_ARCHIVE'], fallback: 'sqlite' },
  archiveKeepMs: { key: 'archiveKeep', env: ['RUNNEL_ARCHIVE_KEEP'], fallback: '90d' },
  archiveMost: { key: 'archiveMost', env: ['RUNNEL_ARCHIVE_MOST'], fallback: null },
  maxTasks: { key: 'maxTasks', env: ['RUNNEL_MAX_TASKS'], fallback: 2_000_000 },
  maxProduct: { key: 'maxProduct', env: ['RUNNEL_MAX_PRODUCT'], fallback: 2_000_000 },
  maxEdges: { key: 'maxEdges', env: ['RUNNEL_MAX_EDGES'], fallback: 100_000_000 },
  maxBodyBytes: { key: 'maxBody', env: ['RUNNEL_MAX_BODY'], fallback: '64MB' },
  logTailBytes: { key: 'logTail', env: ['RUNNEL_LOG_TAIL'], fallback: '64KB' },
  logRunBytes: { key: 'logRun', env: ['RUNNEL_LOG_RUN'], fallback: '64MB' },
  graceMs: { key: 'grace', env: ['RUNNEL_GRACE'], fallback: '30s' },
  killGraceMs: { key: 'killGrace', env: ['RUNNEL_KILL_GRACE'], fallback: '5s' },
  maxDeaths: { key: 'maxDeaths', env: ['RUNNEL_MAX_DEATHS'], fallback: 3 },
  logLevel: { key: 'logLevel', env: ['RUNNEL_LOG_LEVEL'], fallback: 'info' },
  healthHost: { key: 'healthHost', env: ['RUNNEL_HEALTH_HOST'], fallback: '127.0.0.1' },
  healthPort: { key: 'healthPort', env: ['RUNNEL_HEALTH_PORT'], fallback: 0 },
};

export const settingNames: readonly SettingName[] = settingsSchema.keyof().options;

/** Settings with where each came from. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** Variables that look like a misspelled setting: for the log, not a reason to stop. */
  readonly warnings: readonly string[];
}

export interface SettingsRequest {
  /** By the setting's key in a file (`maxBody`), `config` for the file itself; undefined: not given. */
  readonly flags?: Flags;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/**
 * Reads flags, then `RUNNEL_*` variables, then the settings file, then defaults: the first that says
 * something counts, setting by setting. An empty variable says nothing.
 *
 * @throws SetupError with everything that is wrong, one line each.
 */
export function loadSettings(request: SettingsRequest = {}): LoadedSettings {
  const sources = readSources({
    flags: request.flags ?? {},
    env: request.env ?? process.env,
    cwd: request.cwd ?? process.cwd(),
    fields: settingFields,
  });
  const raws = Object.fromEntries(
    settingNames.map((name): [string, RawSetting] => [name, sources.values[name]]),
  );
  const parsed = settingsSchema.safeParse(raws);
  const problems = [...sources.problems];
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(describeProblem(issue, sources.values));
  }
  if (!parsed.success || problems.length > 0) {
    throw new SetupError(`the settings can't be used:\n  ${problems.join('\n  ')}`);
  }
  return {
    settings: withPools(parsed.data),
    origins: mapNames((name) => sources.values[name].origin),
    warnings: sources.warnings,
  };
}

/** Pools that this process serves are known to it; `default` always is. */
function withPools(settings: Settings): Settings {
  const served = ['default', ...settings.pools].map((pool) => [pool, { capacity: null }] as const);
  return { ...settings, knownPools: { ...Object.fromEntries(served), ...settings.knownPools } };
}

function describeProblem(
  issue: z.core.$ZodIssue,
  values: Readonly<Record<SettingName, SourcedSetting>>,
): string {
  const name = settingNames.find((candidate) => candidate === issue.path[0]);
  if (name === undefined) return issue.message;
  const { origin, raw } = values[name];
  // An address may hold a password, so neither it nor a secret is repeated.
  const isAddress = name === 'redisUrl' || name === 'archive';
  const shown = settingFields[name].secret || isAddress ? '' : `${JSON.stringify(raw)} `;
  return `${origin.name}: ${shown}${issue.message}`;
}

function mapNames<T>(read: (name: SettingName) => T): Record<SettingName, T> {
  // Object.fromEntries loses the keys' type; settingNames holds every one of them.
  return Object.fromEntries(settingNames.map((name) => [name, read(name)])) as Record<
    SettingName,
    T
  >;
}
