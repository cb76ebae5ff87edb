import { pipeline } from 'node:stream/promises';
import type { SpecText } from '@runnel/store';
import type { Response } from 'express';

/** Sends a spec while it is read, however large. Lines are put together unless they are asked for. */
export async function sendSpec({ format, text }: SpecText, response: Response): Promise<void> {
  const isLines = format === 'ndjson' && response.req.accepts(['json', ndjson]) === ndjson;
  response.type(isLines ? ndjson : 'application/json');
  if (format === 'json' || isLines) await pipeline(text, response);
  else await pipeline(text, joinLines, response);
}

const ndjson = 'application/x-ndjson';

/** The lines of a spec as one document: `{"name": "n"}` and two tasks as `{"name": "n","tasks":[…,…]}`. */
export async function* joinLines(text: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let open = '';
  let before = '';
  let head: string | null = null;
  for await (const chunk of text) {
    const lines = (open + decoder.decode(chunk, { stream: true })).split('\n');
    open = lines.pop() ?? '';
    if (head === null && lines.length > 0) {
      head = headOf(lines.shift() ?? '');
      yield head;
    }
    const tasks = lines.filter((line) => line.trim() !== '');
    if (tasks.length === 0) continue;
    yield before + tasks.join(',');
    before = ',';
  }
  yield open.trim() === '' ? ']}' : `${before}${open}]}`;
}

function headOf(line: string): string {
  const fields = line.trim().slice(0, -1).trimEnd();
  return `${fields}${fields === '{' ? '' : ','}"tasks":[`;
}
