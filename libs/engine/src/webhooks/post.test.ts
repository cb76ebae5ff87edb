import { createServer } from 'node:net';
import { addressRules, parseAllowedPlaces } from '@runnel/core';
import { startReceiver } from '@runnel/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { HookPoster, type HookPosterOptions } from './post.ts';

const local = addressRules(parseAllowedPlaces(['127.0.0.0/8']));
const strict = addressRules(parseAllowedPlaces([]));
const going = new AbortController().signal;
const posters: HookPoster[] = [];

afterEach(() => {
  for (const poster of posters.splice(0)) poster.close();
});

function poster(options: Partial<HookPosterOptions> = {}): HookPoster {
  const made = new HookPoster({ rules: local, ...options });
  posters.push(made);
  return made;
}

const messageTo = (url: string) => ({ url, headers: { 'webhook-id': 'm' }, body: '{}' });

describe('a message', () => {
  test.each([200, 201, 202, 204, 299])('is delivered where the answer is %i', async (status) => {
    await using receiver = await startReceiver(() => status);

    expect(await poster().post(messageTo(receiver.url), going)).toEqual({ kind: 'delivered' });
    expect(receiver.messages.map(({ body, path }) => `${path} ${body}`)).toEqual(['/hook {}']);
  });

  test('is not delivered where the answer is anything else; its beginning is kept, on one line', async () => {
    await using receiver = await startReceiver(() => (response) => {
      response.writeHead(503, { 'Retry-After': '7' });
      response.end(`no\n\u001b[31mroom${'!'.repeat(5_000)}`);
    });

    const result = await poster().post(messageTo(receiver.url), going);

    expect(result).toEqual({
      kind: 'failed',
      error: `503 Service Unavailable: no [31mroom${'!'.repeat(1_012)}`,
      retryAfterMs: 7_000,
    });
  });

  test('is not sent to where a redirect leads', async () => {
    await using other = await startReceiver();
    await using receiver = await startReceiver(() => (response) => {
      response.writeHead(307, { Location: other.url }).end();
    });

    const result = await poster().post(messageTo(receiver.url), going);

    expect(result).toMatchObject({
      error: `307 Temporary Redirect: redirects are not followed; give the address that it leads to: ${other.url}`,
    });
    expect(other.messages).toEqual([]);
  });

  test('is refused for good by 410', async () => {
    await using receiver = await startReceiver(() => 410);

    expect(await poster().post(messageTo(receiver.url), going)).toEqual({
      kind: 'closed',
      error: '410 Gone',
    });
  });

  test('counts by its status, however much text follows', async () => {
    await using receiver = await startReceiver(() => (response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    });

    expect(await poster().post(messageTo(receiver.url), going)).toEqual({ kind: 'delivered' });
  });

  test('fails where no answer comes in time', async () => {
    await using receiver = await startReceiver(() => () => undefined);

    const result = await poster({ timeoutMs: 100 }).post(messageTo(receiver.url), going);

    expect(result).toEqual({ kind: 'failed', error: 'no answer within 0.1 s', retryAfterMs: null });
  });

  test('fails where a lookup takes too long', async () => {
    const never = new Promise<readonly string[]>(() => undefined);
    const own = poster({ timeoutMs: 50, resolve: () => never });

    const result = await own.post(messageTo('http://hooks.example.org/'), going);

    expect(result).toMatchObject({ error: 'no answer within 0.05 s' });
  });

  test('fails where nobody listens', async () => {
    const result = await poster().post(messageTo('http://127.0.0.1:1/'), going);

    expect(result).toMatchObject({ kind: 'failed', error: 'connect ECONNREFUSED 127.0.0.1:1' });
  });

  test('fails where what answers does not speak HTTP', async () => {
    await using server = createServer((socket) => socket.resume().end('hello\r\n\r\n'));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;

    const result = await poster().post(messageTo(`http://127.0.0.1:${port}/`), going);

    expect(result).toMatchObject({ kind: 'failed', error: expect.stringContaining('Parse Error') });
  });

  test('is broken off when the process stops', async () => {
    const stop = new AbortController();
    await using receiver = await startReceiver(() => () => stop.abort());

    expect(await poster().post(messageTo(receiver.url), stop.signal)).toEqual({ kind: 'stopped' });
  });

  test('goes over another connection where the one that was kept is closed just then', async () => {
    await using receiver = await startReceiver((_, index) =>
      index === 1 ? (response) => response.socket?.resetAndDestroy() : 200,
    );
    const own = poster();
    await own.post(messageTo(receiver.url), going);

    expect(await own.post(messageTo(receiver.url), going)).toEqual({ kind: 'delivered' });
    expect(receiver.messages).toHaveLength(3);
  });
});

describe('an address', () => {
  test.each([
    'http://127.0.0.1:1/',
    'http://2130706433:1/',
    'http://0177.1:1/',
    'http://[::ffff:127.0.0.1]:1/',
    'http://169.254.169.254/latest/',
  ])('%s is not connected to', async (url) => {
    const result = await poster({ rules: strict }).post(messageTo(url), going);

    expect(result).toMatchObject({
      kind: 'failed',
      error: expect.stringContaining('RUNNEL_WEBHOOK_ALLOW'),
    });
  });

  test('is refused where one of those that a name has is', async () => {
    const own = poster({ rules: strict, resolve: async () => ['93.184.216.34', '10.0.0.1'] });

    const result = await own.post(messageTo('http://hooks.example.org/'), going);

    expect(result).toMatchObject({
      error: expect.stringContaining('hooks.example.org leads to 10.0.0.1, which is a private'),
    });
  });

  test('is the one that was checked, whatever a second lookup would say', async () => {
    await using checked = await startReceiver();
    const port = new URL(checked.url).port;
    const lookups: string[] = [];
    const rebinding = async (host: string): Promise<readonly string[]> => {
      lookups.push(host);
      return lookups.length === 1 ? ['127.0.0.1'] : ['127.0.0.9'];
    };
    const own = poster({ resolve: rebinding });

    const result = await own.post(messageTo(`http://rebinding.invalid:${port}/hook`), going);

    expect(result).toEqual({ kind: 'delivered' });
    expect(lookups).toEqual(['rebinding.invalid']);
    expect(checked.messages[0]?.headers.host).toBe(`rebinding.invalid:${port}`);
  });

  test('is told where a name has none', async () => {
    const own = poster({ resolve: async () => [] });

    expect(await own.post(messageTo('http://hooks.example.org/'), going)).toMatchObject({
      error: 'hooks.example.org has no address',
    });
  });
});
