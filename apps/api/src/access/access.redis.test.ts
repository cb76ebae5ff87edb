import { request as httpRequest } from 'node:http';
import { problemDocument } from '@runnel/client';
import { SetupError } from '@runnel/core';
import { createLogger, createMetrics } from '@runnel/service';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startTestApi, type TestApi, testSettings } from '../api.test-kit.ts';
import { startApi } from '../api.ts';
import { allRoutes } from '../routes/all.ts';

const token = 'correct-horse-battery';
let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'), {
    env: {
      RUNNEL_TOKEN: token,
      RUNNEL_ALLOWED_HOSTS: 'runnel.internal',
      RUNNEL_ALLOWED_ORIGINS: 'https://pages.example.org',
      RUNNEL_PUBLIC_URL: 'https://runnel.example.org/sub',
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const routes: readonly (readonly [string, string, boolean])[] = [
  ...allRoutes.map(
    ({ method, path, isOpen }) =>
      [
        method.toUpperCase(),
        path.replace('{id}', 'x').replace('{task}', '0'),
        isOpen === true,
      ] as const,
  ),
  ['GET', '/board', false],
  ['GET', '/board/api/queues', false],
  ['PUT', '/board/api/queues/default/pause', false],
  ['GET', '/board/static/js/main.js', false],
  ['GET', '/', false],
  ['GET', '/favicon.ico', false],
  ['OPTIONS', '/api/v1/runs', false],
];
const closed = routes.filter(([, , isOpen]) => !isOpen);
const open = routes.filter(([, , isOpen]) => isOpen);

/** fetch sets Host itself. */
function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string; readonly headers: object }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(api.at(path), { method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

/** Below /daggyr an error is a text alone, as DaggyR's clients know it. */
function expectCode(path: string, body: string, code: string): void {
  const parsed: unknown = JSON.parse(body);
  if (path.startsWith('/daggyr/')) expect(parsed).toEqual({ error: expect.stringMatching(/\w/) });
  else expect(problemDocument.parse(parsed).code).toBe(code);
}

const bearer = { Authorization: `Bearer ${token}` };

describe('without the token', () => {
  test.each(closed)('%s %s is refused', async (method, path) => {
    const { status, body, headers } = await ask(method, path, {});

    expect(status).toBe(401);
    expectCode(path, body, 'UNAUTHORIZED');
    expect(headers).toMatchObject({ 'www-authenticate': expect.stringContaining('Basic') });
  });

  test.each(closed)('%s %s is refused with wrong ones', async (method, path) => {
    const password = Buffer.from(`me:${token}x`).toString('base64');
    const wrong = [
      `Bearer ${token.slice(1)}`,
      'Bearer ',
      `Token ${token}`,
      `Basic ${password}`,
      `Basic ${Buffer.from(token).toString('base64')}`,
    ];

    for (const Authorization of wrong) {
      expect((await ask(method, path, { Authorization })).status).toBe(401);
    }
    expect((await ask(method, `${path}?token=${token}`, {})).status).toBe(401);
  });

  test.each(open)('%s %s answers', async (method, path) => {
    expect((await ask(method, path, {})).status).toBe(200);
  });
});

describe('with the token', () => {
  // Whoever reports an attempt is always refused, with a token that is no attempt's own, too.
  const passing = closed.filter(([, path]) => path !== '/daggyr/task/attempt');

  test.each(passing)(
    '%s %s goes through',
    async (method, path) => {
      expect([401, 403]).not.toContain((await ask(method, path, bearer)).status);
      // The doctor looks twice, some seconds apart.
    },
    30_000,
  );

  test('a browser gives it as the password of any user', async () => {
    const Authorization = `Basic ${Buffer.from(`anyone:${token}`).toString('base64')}`;

    expect((await ask('GET', '/board', { Authorization })).status).toBe(200);
  });
});

describe('Host', () => {
  test.each(routes)('%s %s is refused for a name that is not ours', async (method, path) => {
    const { status, body } = await ask(method, path, { ...bearer, Host: 'evil.example.org' });

    expect(status).toBe(403);
    expectCode(path, body, 'HOST_NOT_ALLOWED');
  });

  test.each(['localhost.evil.org', '127.0.0.1.evil.org', '10.1.2.3', '[::2]:1'])(
    '%s is refused',
    async (Host) => {
      expect((await ask('GET', '/livez', { Host })).status).toBe(403);
    },
  );

  test.each([
    'localhost',
    'LOCALHOST:9999',
    '127.0.0.1:2503',
    '[::1]:2503',
    'runnel.internal',
    'runnel.internal:2503',
    'runnel.example.org',
  ])('%s is ours', async (Host) => {
    expect((await ask('GET', '/livez', { Host })).status).toBe(200);
  });
});

describe('Origin', () => {
  test.each(routes)('%s %s is refused from another site', async (method, path) => {
    for (const Origin of ['https://evil.example.org', 'null']) {
      const { status, body } = await ask(method, path, { ...bearer, Origin });

      expect(status).toBe(403);
      expectCode(path, body, 'ORIGIN_NOT_ALLOWED');
    }
  });

  test('our own is allowed, by Host and by public URL', async () => {
    for (const Origin of [api.api.url, 'https://runnel.example.org']) {
      expect((await ask('GET', '/api/v1/runs', { ...bearer, Origin })).status).toBe(200);
    }
  });

  test('an allowed one may read answers, and ask beforehand without the token', async () => {
    const Origin = 'https://pages.example.org';

    const before = await ask('OPTIONS', '/api/v1/runs', { Origin });
    const answer = await ask('GET', '/api/v1/runs', { ...bearer, Origin });
    const stranger = await ask('GET', '/api/v1/runs', { Origin });

    expect([before.status, answer.status, stranger.status]).toEqual([204, 200, 401]);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': Origin });
  });
});

test('links and Bull Board lie under the public URL', async () => {
  const response = await fetch(api.at('/api/v1/runs'), {
    method: 'POST',
    headers: { ...bearer, 'Content-Type': 'application/json' },
    body: JSON.stringify({ tasks: [{ class: 'a', executor: 'noop' }] }),
  });
  const board = await ask('GET', '/board', bearer);

  expect(await response.json()).toMatchObject({
    url: expect.stringMatching(/^https:\/\/runnel\.example\.org\/sub\/api\/v1\/runs\/\w+$/),
  });
  expect(board.body).toContain('<base href="/sub/board');
});

test('refuses to listen beyond loopback without a token', async () => {
  const settings = testSettings(inject('redisUrl'), { RUNNEL_HOST: '0.0.0.0' });
  const logger = createLogger({ name: 'api', level: 'silent' });

  const starting = startApi(settings, { logger, metrics: createMetrics('api') });

  await expect(starting).rejects.toThrow(SetupError);
});
