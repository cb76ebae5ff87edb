import { describe, expect, test } from 'vitest';
import { createClient } from './client.ts';
import { ApiError, UnreachableError } from './errors.ts';

interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A client whose requests are answered with `response`, and the calls that it made. */
function clientOf(
  respond: (call: Call) => Response | Promise<Response>,
  options: { readonly url?: string; readonly token?: string; readonly timeoutMs?: number } = {},
) {
  const calls: Call[] = [];
  const client = createClient({
    url: 'http://127.0.0.1:2503/',
    ...options,
    fetch: async (input, init) => {
      const call = {
        url: String(input),
        method: init?.method ?? 'GET',
        headers: new Headers(init?.headers),
        body: init?.body,
      };
      calls.push(call);
      // Answers first: once it has answered, a limit that runs out later rejects nothing.
      const answer = Promise.try(() => respond(call));
      const { promise, reject } = Promise.withResolvers<never>();
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      return Promise.race([answer, promise]);
    },
  });
  return { client, calls };
}

const submitted = { id: 'r1', url: 'http://x/r1', tasks: 1, warnings: [], later: 'ignored' };

describe('requests', () => {
  test('sends lines as they come', async () => {
    const sent: string[] = [];
    const { client, calls } = clientOf(async ({ body }) => {
      if (body instanceof ReadableStream) {
        for await (const piece of body) sent.push(Buffer.from(piece).toString());
      }
      return Response.json(submitted, { status: 201 });
    });
    async function* lines(): AsyncGenerator<string> {
      yield '{}';
      for (let index = 0; index < 3000; index++) yield JSON.stringify({ class: `c${index}` });
    }

    await client.submitRun({ lines: lines() });
    await client.submitRun({ lines: ['{}', '{"class":"ü"}'] });

    expect(calls[0]?.headers.get('content-type')).toBe('application/x-ndjson');
    const text = sent.join('');
    expect(text.split('\n')).toHaveLength(3001 + 2 + 1);
    expect(text.endsWith('{"class":"c2999"}\n{}\n{"class":"ü"}\n')).toBe(true);
    expect(sent.length).toBeLessThan(5);
  });

  test('sends a spec as text, with the token and the key', async () => {
    const { client, calls } = clientOf(() => Response.json(submitted, { status: 201 }), {
      token: 'secret',
    });

    const answer = await client.submitRun(
      { text: 'tasks: []', format: 'yaml' },
      { idempotencyKey: 'k', createdOnly: true, source: '/a b' },
    );

    expect(answer).toEqual({ id: 'r1', url: 'http://x/r1', tasks: 1, warnings: [], isNew: true });
    expect(calls[0]).toMatchObject({
      url: 'http://127.0.0.1:2503/api/v1/runs?createdOnly=true&source=%2Fa+b',
      method: 'POST',
      body: 'tasks: []',
    });
    expect(Object.fromEntries(calls[0]?.headers ?? [])).toEqual({
      authorization: 'Bearer secret',
      'content-type': 'application/yaml',
      'idempotency-key': 'k',
    });
  });

  test('encodes ids, and keeps the path that the API lies under', async () => {
    const { client, calls } = clientOf(() => new Response('text'), {
      url: 'https://example.org/runnel/',
    });

    await client.getLog('r/1', 'pull:CITY=s%C3%A3o,YEAR=1', { attempt: 2 });

    expect(calls[0]?.url).toBe(
      'https://example.org/runnel/api/v1/runs/r%2F1/tasks/pull%3ACITY%3Ds%25C3%25A3o%2CYEAR%3D1/log?attempt=2',
    );
  });

  test('writes times as ISO 8601', async () => {
    const { client, calls } = clientOf(() => Response.json({ runs: [], next: null }));

    await client.listRuns({ since: new Date(0), state: 'failed', limit: 5 });

    expect(calls[0]?.url).toBe(
      'http://127.0.0.1:2503/api/v1/runs?state=failed&limit=5&since=1970-01-01T00%3A00%3A00.000Z',
    );
  });
});

describe('answers', () => {
  test('a problem document is an ApiError', async () => {
    const problem = {
      type: 'urn:runnel:problem:redis-unavailable',
      title: 'Service Unavailable',
      status: 503,
      detail: 'Redis can not be reached',
      code: 'REDIS_UNAVAILABLE',
    };
    const init = { status: 503, headers: { 'Retry-After': '2' } };
    const { client } = clientOf(() => Response.json(problem, init));

    const error = await client.getRun('r1').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 503,
      code: 'REDIS_UNAVAILABLE',
      message: 'Redis can not be reached',
      retryAfterMs: 2_000,
      problem,
    });
  });

  test("a proxy's error is an ApiError too", async () => {
    const { client } = clientOf(
      () => new Response('<html>', { status: 502, statusText: 'Bad Gateway' }),
    );

    await expect(client.getRun('r1')).rejects.toMatchObject({
      name: 'ApiError',
      status: 502,
      code: 'HTTP_502',
    });
  });

  test.each([
    ['a page', () => new Response('<html>')],
    ['other JSON', () => Response.json({ hello: 'world' })],
  ])('%s is no Runnel API', async (_what, respond) => {
    const { client } = clientOf(respond);

    await expect(client.getRun('r1')).rejects.toThrow(UnreachableError);
    await expect(client.cancelRun('r1')).rejects.toThrow(UnreachableError);
    await expect(client.submitRun({ value: {} })).rejects.toThrow(UnreachableError);
  });

  test('a connection that fails is an UnreachableError with the reason', async () => {
    const cause = new AggregateError([new Error('connect ECONNREFUSED 127.0.0.1:2503')]);
    const { client } = clientOf(() => {
      throw new TypeError('fetch failed', { cause });
    });

    await expect(client.getRun('r1')).rejects.toThrow(
      "http://127.0.0.1:2503 can't be reached: connect ECONNREFUSED 127.0.0.1:2503",
    );
    expect(await client.isReady()).toBe(false);
  });

  test('silence is an UnreachableError', async () => {
    const { client } = clientOf(() => new Promise(() => undefined), { timeoutMs: 10 });

    await expect(client.getRun('r1')).rejects.toThrow('no answer within 0.01 s');
  });

  test("the caller's abort is not turned into something else", async () => {
    const { client } = clientOf(() => new Promise(() => undefined));
    const controller = new AbortController();

    const reading = client.getRun('r1', { signal: controller.signal });
    controller.abort();

    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('cancel says whether it was new', async () => {
    const body = { id: 'r1', url: 'u', state: 'cancelled' };
    const statuses = [202, 200];
    const { client } = clientOf(() => Response.json(body, { status: statuses.shift() ?? 500 }));

    expect((await client.cancelRun('r1')).isNew).toBe(true);
    expect((await client.cancelRun('r1')).isNew).toBe(false);
  });

  test('a followed log comes as text, also where a character is split', async () => {
    const bytes = new TextEncoder().encode('größe\n');
    const { client } = clientOf(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(bytes.slice(0, 3));
              controller.enqueue(bytes.slice(3));
              controller.close();
            },
          }),
        ),
    );

    const parts: string[] = [];
    for await (const part of client.followLog('r1', 0)) parts.push(part);

    expect(parts).toEqual(['gr', 'öße\n']);
  });

  test('a followed log that breaks off is an UnreachableError', async () => {
    const { client } = clientOf(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.error(new Error('terminated'));
            },
          }),
        ),
    );

    const follow = async (): Promise<void> => {
      for await (const part of client.followLog('r1', 0)) expect.unreachable(part);
    };

    await expect(follow()).rejects.toThrow(UnreachableError);
  });
});
