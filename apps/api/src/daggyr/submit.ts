import { createHash } from 'node:crypto';
import { finishInTurns, type Issue, SpecError } from '@runnel/core';
import { specLines, type Translation, translateRun } from '@runnel/daggyr';
import { type Expansion, type ParsedDocument, parseDocument, SpecLines } from '@runnel/spec';
import { encodeHead } from '@runnel/store';
import type { Request, Response } from 'express';
import type { ApiContext } from '../context.ts';
import { bodyFormat, readBody } from '../read-body.ts';
import { readBy } from '../read-by.ts';
import { expandOptions } from '../read-submission.ts';
import { RequestError } from '../request-error.ts';
import { readKey } from '../routes/submit-run.ts';
import { storeSubmission } from '../store-submission.ts';
import { toWireIssue } from '../wire-issue.ts';
import { giveNumbers } from './numbered-run.ts';

/** Translates the document that was sent, stores the run and answers with its number. */
export async function submitDaggyrRun(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const key = readKey(request);
  const { text, document } = await readDocument(context, request);
  const options = expandOptions({ context, source: null });
  const translation = await finishInTurns(
    translateRun(document.value, { pools: options.pools, limits: context.settings }),
  ).catch((error: unknown) => {
    throw inDocument(error, document);
  });
  const lines = new SpecLines(options);
  const { plan, warnings } = await expand(lines, translation, document);
  const hash = key === undefined ? '' : hashOf(text);
  const spec = { kind: 'text', record: encodeHead('lines', lines.headText), hash } as const;
  const { runId } = await storeSubmission(
    context,
    { plan, spec, priority: 0 },
    {
      source: null,
      by: readBy(request),
      ...(key === undefined ? {} : { idempotency: { client: 'daggyr', key } }),
    },
  );
  const [number] = await giveNumbers(context, [runId]);
  const told = [...translation.warnings, ...warnings].map((issue) => locate(issue, document));
  response.json({
    run_id: number,
    ...(told.length === 0 ? {} : { warnings: told.map(toWireIssue) }),
  });
}

async function readDocument(
  context: ApiContext,
  request: Request,
): Promise<{ readonly text: string; readonly document: ParsedDocument }> {
  const format = bodyFormat(request);
  if (format === 'ndjson') {
    throw new RequestError(
      415,
      'a run of DaggyR is one JSON document: send application/json; lines go to /api/v1/runs',
    );
  }
  const limits = { maxBytes: context.settings.maxBodyBytes, silenceMs: context.bodySilenceMs };
  const text = await readBody(request, limits);
  return { text, document: parseDocument(text, format) };
}

/** Feeds the tasks to the reader of specs as they are made; others have a turn between two pieces. */
async function expand(
  lines: SpecLines,
  translation: Translation,
  document: ParsedDocument,
): Promise<Expansion> {
  for (const piece of specLines(translation)) {
    await lines.write(Buffer.from(piece));
    if (lines.isDecided) break;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  try {
    return await lines.end();
  } catch (error: unknown) {
    throw inDocument(error, document, translation);
  }
}

/** A mistake by its place in DaggyR's document; of all instances of a task it is told once. */
function inDocument(error: unknown, document: ParsedDocument, translation?: Translation): unknown {
  if (!(error instanceof SpecError)) return error;
  const issues = new Map<string, Issue>();
  for (const { path, message: text } of error.issues) {
    const own = translation?.toSourcePath(path) ?? path;
    const message = text.replace(instancePrefix, '');
    issues.set(JSON.stringify([own, message]), locate({ path: own, message }, document));
  }
  return new SpecError([...issues.values()], error.code);
}

/** Details are checked task by task; the place says already which is meant. */
const instancePrefix = /^task ".*?", executor local: /;

/** With line and column, where the document is small enough to know them. */
function locate(issue: Issue, document: ParsedDocument): Issue {
  for (let length = issue.path.length; length > 0; length--) {
    const position = document.locate(issue.path.slice(0, length));
    if (position !== undefined) return { ...issue, ...position };
  }
  return issue;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
