import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

/** Sends JSON that is made while it goes out; where it breaks off, so does the connection. */
export async function sendStream(response: Response, parts: AsyncIterable<string>): Promise<void> {
  response.type('application/json');
  response.setHeader('Cache-Control', 'no-store');
  await pipeline(parts, response);
}

/** `[a,b]` of values that come in pages. */
export async function* joinList(pages: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  yield '[';
  let between = '';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield between + page.map((value) => JSON.stringify(value)).join(',');
    between = ',';
  }
  yield ']';
}
