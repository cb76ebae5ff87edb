import { pipeline } from 'node:stream/promises';
import { betweenTexts } from '@runnel/core';
import { joinTasks, type SpecText } from '@runnel/store';
import type { Response } from 'express';

const ndjson = 'application/x-ndjson';

type SpecInParts = Exclude<SpecText, { format: 'document' }>;

/** Sends a spec while it is read, however large. Lines are put together unless they are asked for. */
export async function sendSpec(spec: SpecText, response: Response): Promise<void> {
  const wantsLines = response.req.accepts(['json', ndjson]) === ndjson;
  const isLines = spec.format === 'lines' && wantsLines;
  response.type(isLines ? ndjson : 'application/json');
  if (spec.format === 'document') await pipeline(spec.text, response);
  else await pipeline(isLines ? listLines(spec) : joinTasks(spec), response);
}

async function* listLines({ head, tasks }: SpecInParts): AsyncGenerator<string> {
  yield head;
  for await (const texts of tasks) yield `\n${texts.replaceAll(betweenTexts, '\n')}`;
}
