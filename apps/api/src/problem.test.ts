import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createLogger } from '@runnel/service';
import express from 'express';
import { expect, test } from 'vitest';
import { problemHandler } from './problem.ts';

/** Logs what becomes of one request whose client leaves after the first piece of the answer. */
async function leaveEarly(parts: () => AsyncGenerator<string>): Promise<string> {
  const written: string[] = [];
  const ended = Promise.withResolvers<void>();
  const to = {
    write: (line: string) => {
      written.push(line);
      ended.resolve();
    },
  };
  const app = express();
  app.get('/', async (_request, response) => await pipeline(parts, response));
  app.use(problemHandler(createLogger({ name: 'api', level: 'debug', to })));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const request = get({ host: '127.0.0.1', port: address.port }, (response) => {
    response.once('data', () => request.destroy());
    response.on('error', () => undefined);
  });
  request.on('error', () => undefined);
  await ended.promise;
  server.close();
  return written.join('');
}

test('a client that leaves before the end of an answer is no failure', async () => {
  const line = await leaveEarly(async function* () {
    for (;;) yield 'x'.repeat(65_536);
  });

  expect(line).toContain('the client went away');
  expect(line).toContain('"level":20');
});

test('an answer that breaks off by itself is one', async () => {
  const line = await leaveEarly(async function* () {
    yield 'x';
    throw new Error('the source broke');
  });

  expect(line).toContain('a request failed');
  expect(line).toContain('"level":50');
});
