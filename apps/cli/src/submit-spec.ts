import type { WireSubmitted } from '@runnel/client';
import type { Cli } from './cli.ts';
import type { Server } from './server.ts';
import type { SpecFile } from './spec-file.ts';
import { describeProblem, fromWire, toInvalidSpec } from './spec-problems.ts';

/** Hands a spec to a server and tells its warnings. Throws InvalidSpecError, ApiError, UnreachableError. */
export async function submitSpec(
  { terminal }: Cli,
  spec: SpecFile,
  server: Pick<Server, 'client' | 'url'>,
): Promise<WireSubmitted> {
  try {
    const source = await sourceOf(spec, server.url);
    const submitted = await server.client.submitRun(spec.document, source);
    for (const issue of submitted.warnings) {
      const warning = describeProblem(fromWire(issue, spec), spec);
      terminal.say(`${terminal.style.yellow('warning')} ${warning}`);
    }
    return submitted;
  } catch (error: unknown) {
    throw toInvalidSpec(error, spec);
  }
}

/**
 * The spec's folder, where it is asked for and means something to the server: a server on another machine,
 * or in a container, refuses one.
 */
export async function sourceOf(spec: SpecFile, url: string): Promise<{ readonly source?: string }> {
  if (!mayAskForSource(spec)) return {};
  const { isLoopback } = await import('@runnel/service');
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isLoopback(host) ? { source: spec.folder } : {};
}

/** What is sent line by line is not read before. */
function mayAskForSource({ document, readLines }: SpecFile): boolean {
  if (readLines !== undefined || 'lines' in document) return true;
  const text = 'text' in document ? document.text : JSON.stringify(document.value);
  return /run\.source\b/.test(text);
}
