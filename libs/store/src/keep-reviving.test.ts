import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { keepReviving } from './keep-reviving.ts';

/** What ioredis does by itself after an error that it takes for the last. */
function makeClient(port: number): Redis {
  return new Redis({ port, retryStrategy: () => null, enableReadyCheck: false, lazyConnect: true });
}

/** Unlike `once`, it does not mind errors. */
async function next(client: Redis, event: 'end' | 'connecting'): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once(event, resolve);
  await promise;
}

test('connects anew when a connection has ended that nobody closed, and a duplicate too', async () => {
  await using server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = keepReviving(makeClient(typeof address === 'object' ? (address?.port ?? 0) : 0));
  const both = [client, client.duplicate()];

  for (const one of both) {
    one.on('error', () => undefined);
    one.connect().catch(() => undefined);
    await next(one, 'end');
    await next(one, 'connecting');
    one.disconnect();
    await next(one, 'end');
  }

  expect(both.map(({ status }) => status)).toEqual(['end', 'end']);
});
