import { addressRules, type Issue, parseAllowedPlaces } from '@runnel/core';
import { executorCatalog, loadExecutors } from '@runnel/executors';
import { loadSettings } from '@runnel/service';
import { type ExpandOptions, type Expansion, expandSpec, SpecLines } from '@runnel/spec';
import { countClasses } from './plan-classes.ts';
import { settingsFileOf } from './settings-file.ts';
import type { SpecFile } from './spec-file.ts';

/** What a spec would become. */
export interface Validated {
  readonly name: string | null;
  readonly tasks: number;
  readonly edges: number;
  readonly classes: readonly { readonly class: string; readonly tasks: number }[];
  readonly warnings: readonly Issue[];
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Modules with executors, separated by commas. */
  readonly executors?: string | undefined;
}

/** Checks a spec without a server. Throws SpecError, SetupError. */
export async function validateHere(spec: SpecFile, around: Surroundings): Promise<Validated> {
  const { settings } = loadSettings({
    env: { ...around.env, ...settingsFileOf(spec.folder, around.env) },
    cwd: around.cwd,
    flags: { executors: around.executors },
  });
  const registry = await loadExecutors({ modules: settings.executors });
  const rules = addressRules(parseAllowedPlaces(settings.webhookAllow));
  const { plan, warnings } = await expand(spec, {
    limits: settings,
    executors: executorCatalog(registry),
    pools: Object.keys(settings.knownPools),
    source: spec.folder,
    refuseWebhook: (url) => rules.refuseUrl(url),
    locate: spec.locate,
  });
  return {
    name: plan.name,
    tasks: plan.nodeCount - plan.barrierCount,
    edges: plan.parents.length,
    classes: countClasses(plan),
    warnings,
  };
}

async function expand(spec: SpecFile, options: ExpandOptions): Promise<Expansion> {
  if (spec.readLines === undefined) return expandSpec(spec.value, options);
  const lines = new SpecLines(options);
  for await (const block of spec.readLines()) {
    await lines.write(Buffer.from(`${block}\n`));
    if (lines.isDecided) break;
  }
  return await lines.end();
}
