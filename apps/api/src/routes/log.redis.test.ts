import { runHandle, writeLog } from '@runnel/store';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pair, startTestApi, type TestApi } from '../api.test-kit.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi(inject('redisUrl'));
});
afterAll(() => api[Symbol.asyncDispose]());

async function write(id: string, text: string, droppedBytes = 0): Promise<void> {
  await writeLog(api.redis, runHandle(api.namespace, id), {
    task: 0,
    attempt: 1,
    droppedBytes,
    tail: Buffer.from(text),
    runCapBytes: 1_000_000,
  });
}

async function submit(): Promise<string> {
  return (await api.client.submitRun({ value: pair })).id;
}

describe('GET …/log', () => {
  test('gives what the attempt wrote', async () => {
    const id = await submit();
    await write(id, 'größe\n');

    const log = await api.client.getLog(id, 'first');

    expect(log).toEqual({ text: 'größe\n', droppedBytes: 0 });
  });

  test('is empty for a task that has not begun', async () => {
    const id = await submit();

    expect((await api.client.getLog(id, 'second')).text).toBe('');
  });

  test('says how much was not kept', async () => {
    const id = await submit();
    await write(id, 'the end\n', 123);

    const log = await api.client.getLog(id, 0);

    expect(log.droppedBytes).toBe(123);
    expect(log.text).toBe('[… 123 bytes earlier were not kept]\nthe end\n');
  });

  test('answers 404 for an attempt that was not made', async () => {
    const id = await submit();

    await expect(api.client.getLog(id, 0, { attempt: 2 })).rejects.toMatchObject({ status: 404 });
  });
});

describe('GET …/log?follow=true', () => {
  test('sends what is written until the attempt has ended', async () => {
    const id = await submit();
    const parts: string[] = [];
    const texts = ['one\n', 'one\ntwo\n', 'one\ntwo\nthree\n'];

    await write(id, texts[0] ?? '');
    for await (const part of api.client.followLog(id, 'first')) {
      parts.push(part);
      const next = texts[parts.length];
      if (next === undefined) await api.client.cancelRun(id);
      else await write(id, next);
    }

    expect(parts).toEqual(['one\n', 'two\n', 'three\n']);
  });

  test('puts a line where the beginning was lost between two looks', async () => {
    const id = await submit();
    let text = '';

    await write(id, 'ab\n');
    for await (const part of api.client.followLog(id, 0)) {
      if (text === '') {
        await write(id, 'yz\n', 10);
        await api.client.cancelRun(id);
      }
      text += part;
    }

    expect(text).toBe('ab\n[… 7 bytes earlier were not kept]\nyz\n');
  });

  test('ends at once for an attempt that is over', async () => {
    const id = await submit();
    await write(id, 'done\n');
    await api.client.cancelRun(id);

    let text = '';
    for await (const part of api.client.followLog(id, 0)) text += part;

    expect(text).toBe('done\n');
  });

  test('ends when the API stops', async () => {
    const own = await startTestApi(inject('redisUrl'), {
      env: { RUNNEL_NAMESPACE: api.namespace },
    });
    const id = await submit();
    await write(id, 'still\n');

    let stopping: PromiseLike<void> | undefined;
    let text = '';
    for await (const part of own.client.followLog(id, 0)) {
      text += part;
      stopping ??= own[Symbol.asyncDispose]();
    }
    await stopping;

    expect(text).toBe('still\n');
  });
});
