import { addressRules, finishSteps, type Issue, parseAllowedPlaces } from '@runnel/core';
import { type ExecutorRegistry, executorCatalog, loadExecutors } from '@runnel/executors';
import { measurePlan, type PlanMeasures } from '@runnel/planning';
import { loadSettings, type Settings } from '@runnel/service';
import { type ExpandOptions, type Expansion, expandSpec, SpecLines } from '@runnel/spec';
import { settingsFileOf } from './settings-file.ts';
import type { SpecFile } from './spec-file.ts';

/** What a spec would become. */
export interface Validated extends PlanMeasures {
  readonly name: string | null;
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
  const { plan, warnings } = await planHere(spec, around);
  const specBytes = Buffer.byteLength(JSON.stringify(spec.value));
  return {
    name: plan.name,
    ...finishSteps(measurePlan(plan, specBytes)),
    warnings,
  };
}

/** A spec expanded without a server, and what it was expanded with. */
export interface PlannedHere extends Expansion {
  readonly settings: Settings;
  readonly registry: ExecutorRegistry;
}

/** Throws SpecError, SetupError. */
export async function planHere(spec: SpecFile, around: Surroundings): Promise<PlannedHere> {
  const { settings } = loadSettings({
    env: { ...around.env, ...settingsFileOf(spec.folder, around.env) },
    cwd: around.cwd,
    flags: { executors: around.executors },
  });
  const registry = await loadExecutors({ modules: settings.executors });
  const rules = addressRules(parseAllowedPlaces(settings.webhookAllow));
  const expansion = await expand(spec, {
    limits: settings,
    executors: executorCatalog(registry),
    pools: Object.keys(settings.knownPools),
    source: spec.folder,
    refuseWebhook: (url) => rules.refuseUrl(url),
    locate: spec.locate,
  });
  return { ...expansion, settings, registry };
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
