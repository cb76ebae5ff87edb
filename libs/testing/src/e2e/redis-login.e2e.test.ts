import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, RedisNode } from '../redis-node.ts';
import { Stack } from '../stack.ts';
import { waitForEnd } from './wait-for.ts';

/** For 127.0.0.1 and localhost, signed by an authority that nobody else knows; good until 2126. */
const tls = (file: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${file}`, import.meta.url));
const operating = fileURLToPath(new URL('../../../../docs/operating.md', import.meta.url));
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runnel-login-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The user that the documentation says is enough. */
function documentedUser(): string {
  const line = /^user runnel .*$/m.exec(readFileSync(operating, 'utf8'))?.[0];
  if (line === undefined) throw new Error('docs/operating.md names no user any more');
  return line;
}

test('everything works over TLS as the user with few rights that the documentation names', async () => {
  const tlsPort = await freePort();
  await using redis = await RedisNode.start({
    dir,
    name: 'tls',
    lines: [
      ...['appendonly yes', documentedUser(), `tls-port ${tlsPort}`, 'tls-auth-clients no'],
      ...[`tls-cert-file ${tls('server.pem')}`, `tls-key-file ${tls('server.key')}`],
      `tls-ca-cert-file ${tls('ca.pem')}`,
    ],
  });
  const env = { NODE_EXTRA_CA_CERTS: tls('ca.pem') };
  const redisUrl = `rediss://runnel:PASSWORD@127.0.0.1:${tlsPort}`;

  await using stack = await Stack.start({ api: true, listeners: 2, workers: 2, redisUrl, env });
  const client = createClient({ url: stack.apiUrl });
  const value = {
    parameters: { N: { from: 1, to: 50 } },
    tasks: [
      { class: 'a', details: { command: ['echo', '{{N}}'] }, parameters: ['N'] },
      { class: 'again', details: { command: ['false'] }, retries: { limit: 1, backoff: '10ms' } },
      { class: 'long', parents: ['a'], details: { command: ['sleep', '60'] } },
    ],
  };
  const { id } = await client.submitRun({ value });
  await client.cancelRun(id);
  const cancelled = await waitForEnd(client, id);
  const small = await client.submitRun({ value: { tasks: [{ class: 'a', executor: 'noop' }] } });
  const run = await waitForEnd(client, small.id);
  const board = await fetch(`${stack.apiUrl}/board/api/queues`);
  const doctor = await fetch(`${stack.apiUrl}/api/v1/doctor`);

  expect([cancelled.state, run.state]).toEqual(['cancelled', 'succeeded']);
  expect(board.status).toBe(200);
  expect(await doctor.json()).toMatchObject({ findings: [] });
  const log = stack.processes.flatMap((one) => one.log);
  expect(log.filter((line) => line.includes('NOPERM'))).toEqual([]);
  // The library's name at each connection: Redis 7.0 has no such command, and it does without.
  const denied = JSON.stringify(await redis.client.call('ACL', 'LOG'));
  expect(denied.replaceAll('client|setinfo', '')).not.toMatch(/"object","[a-z]/);
});

test('a certificate that nobody vouches for is named as such, and no process starts', async () => {
  const tlsPort = await freePort();
  await using redis = await RedisNode.start({
    dir,
    name: 'unknown',
    lines: [
      ...['appendonly yes', `tls-port ${tlsPort}`, 'tls-auth-clients no'],
      ...[`tls-cert-file ${tls('server.pem')}`, `tls-key-file ${tls('server.key')}`],
      `tls-ca-cert-file ${tls('ca.pem')}`,
    ],
  });
  const redisUrl = `rediss://127.0.0.1:${tlsPort}`;

  await expect(Stack.start({ listeners: 1, workers: 0, redisUrl })).rejects.toThrow(
    /certificate[\s\S]*NODE_EXTRA_CA_CERTS/,
  );
  expect(redis.port).toBeGreaterThan(0);
});
