import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { suggest } from '@runnel/core';
import { parse } from 'yaml';
import { secretVariablePrefix } from './secret-source.ts';
import type { RawSetting } from './setting-values.ts';

/** What was given on the command line, by the setting's key. */
export type Flags = Readonly<
  Record<string, string | number | boolean | readonly string[] | null | undefined>
>;

/** Where a value came from; `name` is what a person would look for. */
export interface Origin {
  readonly kind: 'flag' | 'env' | 'file' | 'default';
  /** `--port`, `RUNNEL_PORT`, `runnel.yaml: port` or `default`. */
  readonly name: string;
}

/** How a setting is called elsewhere, and what it is when nobody says. */
export interface SettingField {
  /** In a settings file; as a flag it is `--kebab-case`. */
  readonly key: string;
  /** The first that is set counts. */
  readonly env: readonly string[];
  readonly fallback: unknown;
  readonly secret?: true;
}

/** A raw value and where it came from. */
export interface SourcedSetting extends RawSetting {
  readonly origin: Origin;
}

export interface SourcesRequest<Name extends string = string> {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly fields: Readonly<Record<Name, SettingField>>;
}

export interface Sources<Name extends string> {
  readonly values: Readonly<Record<Name, SourcedSetting>>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const defaultFiles = ['runnel.yaml', 'runnel.yml', 'runnel.json'];

/** Finds the raw value and the origin of every setting; problems are collected, never thrown. */
export function readSources<Name extends string>(request: SourcesRequest<Name>): Sources<Name> {
  const { fields, flags, env, cwd } = request;
  const file = readSettingsFile(request);
  const pick = (field: SettingField): SourcedSetting => {
    const flag = flags[field.key];
    if (flag !== undefined) {
      return { raw: flag, folder: cwd, origin: { kind: 'flag', name: flagName(field.key) } };
    }
    const variable = field.env.find((name) => (env[name] ?? '') !== '');
    if (variable !== undefined) {
      return { raw: env[variable], folder: cwd, origin: { kind: 'env', name: variable } };
    }
    const inFile = file.values[field.key];
    if (inFile !== undefined && file.path !== null) {
      const name = `${file.path}: ${field.key}`;
      return { raw: inFile, folder: dirname(file.path), origin: { kind: 'file', name } };
    }
    return { raw: field.fallback, folder: cwd, origin: { kind: 'default', name: 'default' } };
  };
  const picked = Object.entries<SettingField>(fields).map(([name, field]) => [name, pick(field)]);
  return {
    // `fields` has every name, so the result has too; Object.fromEntries can't say so.
    values: Object.fromEntries(picked) as Record<Name, SourcedSetting>,
    problems: [...file.problems, ...findUnknownFlags(request)],
    warnings: findMisspelled(request),
  };
}

export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

interface SettingsFile {
  readonly path: string | null;
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

function readSettingsFile({ flags, env, cwd, fields }: SourcesRequest): SettingsFile {
  const { config } = flags;
  const { RUNNEL_CONFIG: variable } = env;
  const asked = config ?? (variable || undefined);
  const candidates = asked === undefined ? defaultFiles : [String(asked)];
  const path = candidates.map((name) => resolve(cwd, name)).find((name) => existsSync(name));
  if (path === undefined) {
    const problem = `${config === undefined ? 'RUNNEL_CONFIG' : '--config'}: there is no file ${asked}`;
    return { path: null, values: {}, problems: asked === undefined ? [] : [problem] };
  }
  try {
    const values: unknown = parse(readFileSync(path, 'utf8')) ?? {};
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      return { path, values: {}, problems: [`${path}: must be a map of settings`] };
    }
    const given = Object.entries(values);
    return {
      path,
      values: Object.fromEntries(given),
      problems: findUnknownKeys(path, given, fields),
    };
  } catch (error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    return { path, values: {}, problems: [`${path}: can't be read: ${reason}`] };
  }
}

function findUnknownKeys(
  path: string,
  given: readonly (readonly [string, unknown])[],
  fields: SourcesRequest['fields'],
): readonly string[] {
  const known = Object.values(fields).map((field) => field.key);
  return given
    .filter(([key]) => !known.includes(key))
    .map(([key]) => `${path}: ${key}: there is no such setting${suggest(key, known)}`);
}

function findUnknownFlags({ flags, fields }: SourcesRequest): readonly string[] {
  const known = ['config', ...Object.values(fields).map((field) => field.key)];
  return Object.entries(flags)
    .filter(([key, value]) => value !== undefined && !known.includes(key))
    .map(([key]) => `${flagName(key)}: there is no such setting${suggest(key, known)}`);
}

/** Other RUNNEL_* variables are legal (a task's, the client's); only near misses are worth a word. */
function findMisspelled({ env, fields }: SourcesRequest): readonly string[] {
  const known = Object.values(fields).flatMap((field) => field.env);
  const foreign = ['RUNNEL_CONFIG', 'RUNNEL_URL', 'RUNNEL_OUTPUT', 'RUNNEL_INPUTS'];
  return Object.keys(env)
    .filter((name) => name.startsWith('RUNNEL_') && !name.startsWith(secretVariablePrefix))
    .filter((name) => ![...known, ...foreign].includes(name))
    .map((name) => ({ name, hint: suggest(name, known) }))
    .filter(({ hint }) => hint !== '')
    .map(({ name, hint }) => `${name} is not a setting${hint}`);
}
