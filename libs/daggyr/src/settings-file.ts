import type { ImportedSettings } from './import-settings.ts';

/** The text of a settings file (YAML). */
export function settingsFile(settings: ImportedSettings, source: string): string {
  const { host, port, pools, knownPools, concurrency } = settings;
  const lines = [`# Made from ${source.replaceAll(/\s/g, ' ')}.`];
  if (host !== undefined) lines.push(`host: ${JSON.stringify(host)}`);
  if (port !== undefined) lines.push(`port: ${port}`);
  if (pools !== undefined) lines.push(`pools: ${list(pools)}`);
  if (knownPools !== undefined) lines.push(`knownPools: ${list(knownPools)}`);
  if (concurrency !== undefined) lines.push(`concurrency: ${concurrency}`);
  return lines.join('\n');
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(', ')}]`;
}
