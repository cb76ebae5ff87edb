import type { Client } from '@runnel/client';
import type { Cli } from './cli.ts';
import type { EndedRun } from './follow-run.ts';
import { type Afterwards, readFailures, renderEnd, renderFailures } from './summary.ts';

export interface EndOptions {
  readonly client: Client;
  readonly json: boolean;
  readonly afterwards: Afterwards;
}

/** How a run ended: a line and its failures on stderr, or the run's document on stdout. */
export async function tellEnd(
  { terminal }: Cli,
  run: EndedRun,
  { client, json, afterwards }: EndOptions,
): Promise<void> {
  const failures = await readFailures(client, run);
  terminal.say(renderEnd(run, terminal.style));
  const { style } = terminal;
  for (const line of renderFailures(run, failures, { style, afterwards })) terminal.say(line);
  if (json) terminal.printJson(run);
}
