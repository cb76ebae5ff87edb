import { runHandle } from '@runnel/store';
import { expect, inject, test } from 'vitest';
import { pair, startTestApi } from '../api.test-kit.ts';

test('says what is missing where nothing but the api runs', async () => {
  await using it = await startTestApi(inject('redisUrl'));
  await it.client.submitRun({ value: pair });

  const { findings, runs, mended } = await it.client.askDoctor();

  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort();
  expect(kinds).toEqual(['listener-missing', 'worker-missing']);
  expect(findings.find(({ kind }) => kind === 'worker-missing')?.queue).toBe('default');
  expect({ runs, mended }).toEqual({ runs: 1, mended: null });
});

test('names the task, says what it means, and mends it once', async () => {
  await using it = await startTestApi(inject('redisUrl'));
  const { id } = await it.client.submitRun({ value: pair });
  const { names } = runHandle(it.namespace, id);
  await it.redis.setrange(names.waiting, 4, Buffer.from([0, 0, 0, 5]));

  const found = await it.client.askDoctor({ run: id });
  const mended = await it.client.askDoctor({ run: id, repairs: true });
  const after = await it.client.askDoctor({ run: id, repairs: true });

  expect(found.findings).toMatchObject([
    {
      kind: 'waiting-wrong',
      run: id,
      task: { number: 1, id: 'second' },
      detail: 'it waits for 4 parents more than are left, and flags 0 are wrong',
      repair: 'counts its parents again',
    },
  ]);
  expect(mended).toMatchObject({ mended: 1, left: 0 });
  expect(after).toMatchObject({ findings: [], mended: 0, left: 0 });
}, 30_000);

test('corrects the demand of a queue, and the sets of a run', async () => {
  await using it = await startTestApi(inject('redisUrl'));
  const { id } = await it.client.submitRun({ value: pair });
  const { names } = runHandle(it.namespace, id);
  await it.redis.hset(names.demand, 'default@0', 4);
  await it.redis.zrem(names.active, id);

  const report = await it.client.askDoctor({ repairs: true });

  const kinds = report.findings.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['demand-wrong', 'run-misplaced']));
  expect(await it.redis.hget(names.demand, 'default@0')).toBe('1');
  expect(await it.redis.zscore(names.active, id)).not.toBeNull();
}, 30_000);

test('does not know a run that does not exist', async () => {
  await using it = await startTestApi(inject('redisUrl'));

  await expect(it.client.askDoctor({ run: 'none' })).rejects.toThrow('there is no run none');
});
