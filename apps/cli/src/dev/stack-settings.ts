import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { SetupError } from '@runnel/core';
import {
  type LoadedSettings,
  loadSettings,
  requireTokenBeyondLoopback,
  type SettingName,
} from '@runnel/service';
import type { StackOptions } from './stack.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the command line says about the processes of a stack; undefined: nothing. */
export interface StackFlags {
  readonly port?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly functions?: string | undefined;
  readonly executors?: string | undefined;
  readonly workers?: number | undefined;
}

export interface StackRequest {
  readonly env: Env;
  readonly cwd: string;
  readonly flags: StackFlags;
  /** True: only what goes wrong is logged. */
  readonly isQuiet: boolean;
  /** True: others on this machine have no business with this server. */
  readonly isPrivate: boolean;
}

export interface StackSettings
  extends Pick<StackOptions, 'env' | 'url' | 'token' | 'graceMs' | 'workers' | 'durability'> {
  readonly loaded: LoadedSettings;
}

/** A Ctrl-C should not take half a minute: tasks that are cut off run again at the next start. */
const shortGrace = '3s';

/** Settings of a stack, and the environment that gives them to its processes. @throws SetupError. */
export function readStackSettings(request: StackRequest): StackSettings {
  const { cwd, flags, isQuiet, isPrivate } = request;
  const { workers = 1, ...settingFlags } = flags;
  const env = { ...request.env, ...(isPrivate ? privateServer(request.env) : {}) };
  const given = loadSettings({ env, cwd, flags: settingFlags });
  const isUnset = (name: SettingName): boolean => given.origins[name].kind === 'default';
  const { functions, executors, concurrency, port } = given.settings;
  const own: Record<string, string> = {
    RUNNEL_PORT: String(port),
    // One port can't serve several processes.
    RUNNEL_HEALTH_PORT: '0',
    // Tasks that say `node` get this one, which runs TypeScript.
    PATH: `${dirname(process.execPath)}:${env['PATH'] ?? ''}`,
  };
  requireModules('functions', functions);
  requireModules('executors', executors);
  if (flags.concurrency !== undefined) own['RUNNEL_CONCURRENCY'] = String(concurrency);
  if (flags.functions !== undefined) own['RUNNEL_FUNCTIONS'] = functions.join(',');
  if (flags.executors !== undefined) own['RUNNEL_EXECUTORS'] = executors.join(',');
  if (isUnset('graceMs')) own['RUNNEL_GRACE'] = shortGrace;
  if (isUnset('logLevel') && isQuiet) own['RUNNEL_LOG_LEVEL'] = 'warn';

  const all = { ...env, ...own };
  const loaded = loadSettings({ env: all, cwd });
  requireTokenBeyondLoopback(loaded.settings);
  const { host, token, graceMs, durability } = loaded.settings;
  const url = toUrl(host, port);
  return { env: all, loaded, workers, graceMs, token, durability, url };
}

/** A worker loads functions when the first is called: too late to hear of a wrong path. */
function requireModules(setting: 'functions' | 'executors', modules: readonly string[]): void {
  const missing = modules.filter((path) => isAbsolute(path) && !existsSync(path));
  if (missing.length > 0) {
    throw new SetupError(`${setting}: there is no file ${missing.join(', ')}`);
  }
}

/** Loopback, and a token that nobody else knows. */
function privateServer(env: Env): Env {
  const { RUNNEL_TOKEN: token = '' } = env;
  return {
    RUNNEL_HOST: '127.0.0.1',
    RUNNEL_TOKEN: token === '' ? randomBytes(24).toString('base64url') : token,
  };
}

/** A server on every address is reached on loopback. */
function toUrl(host: string, port: number): string {
  const name = ['0.0.0.0', '::', '[::]'].includes(host) ? '127.0.0.1' : host;
  return `http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}`;
}
