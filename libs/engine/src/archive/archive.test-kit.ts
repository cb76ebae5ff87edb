import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archive, openArchive } from '@runnel/archive';
import {
  haltPage,
  type RedisClient,
  revisionKey,
  runHandle,
  runKeyDocs,
  shardKeyDocs,
  writeLog,
} from '@runnel/store';
import { allSucceeded, StoreDriver } from '@runnel/store/store-driver';
import { plainNode as node, planOf } from '@runnel/testing';

/** An archive of a test's own, gone with its file when it is disposed. */
export async function openTestArchive(): Promise<Archive> {
  const dataDir = mkdtempSync(join(tmpdir(), 'runnel-archive-'));
  const onError = (): undefined => undefined;
  const archive = await openArchive({ archive: 'sqlite', dataDir, namespace: 'n', onError });
  if (archive === null) throw new Error('there is no archive');
  return {
    ...archive,
    async [Symbol.asyncDispose]() {
      await archive[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A run that ended, with something of everything that is kept of one. */
export async function endedRun(redis: RedisClient, namespace: string): Promise<string> {
  const driver = await StoreDriver.submit(redis, namespace, planOf([node, node, node]));
  await driver.turn();
  await driver.settle([allSucceeded(await driver.claimed(1))]);
  const { names } = driver.run;
  const log = { task: 1, attempt: 1, droppedBytes: 7, tail: Buffer.from([0, 10, 255]) };
  await writeLog(redis, driver.run, { ...log, runCapBytes: 1_000_000 });
  await redis.hset(names.outputs, { 0: '{"a":1}', 2: '{"b":"\u00e4"}' });
  await redis.hset(names.failures, '1.1', '{"reason":"exit"}');
  await redis.hset(names.tries, '1', 2);
  await redis.rpush(names.cancels, '{"at":1}', '{"at":2}');
  await redis.hset(names.meta, 'revision', 3);
  for (const revision of [1, 2]) {
    const spec = revisionKey(namespace, driver.run.id, { part: 'spec', revision });
    await redis.set(spec, `spec ${revision}`);
  }
  const payload = revisionKey(namespace, driver.run.id, { part: 'payload', revision: 1 });
  await redis.hset(payload, '0', 'rows');
  return driver.run.id;
}

/** A run of so many tasks that ended, each with a handed on text that does not compress. */
export async function largeRun(
  redis: RedisClient,
  namespace: string,
  count: number,
): Promise<string> {
  const nodes = Array.from({ length: count }, () => node);
  const driver = await StoreDriver.submit(redis, namespace, planOf(nodes));
  const outputs = Array.from({ length: count }, (_, id) => [id, JSON.stringify(Math.random())]);
  for (let at = 0; at < count; at += 1_000) {
    await redis.hset(driver.run.names.outputs, ...outputs.slice(at, at + 1_000).flat());
  }
  await haltPage(redis, driver.run, 'cancel', 5);
  let halted = await haltPage(redis, driver.run, 'page', 5);
  while (halted?.isPaging === true) halted = await haltPage(redis, driver.run, 'page', 5);
  return driver.run.id;
}

/** Everything that Redis has of a run, and its places in the sets of its shard. */
export async function contentsOf(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { names } = runHandle(namespace, id);
  const contents: Record<string, unknown> = {};
  const revisions = ['spec', 'payload'].flatMap((part) =>
    [1, 2].map((revision) => [
      `${part}@${revision}`,
      names.meta.replace(/meta$/, `${part}@${revision}`),
    ]),
  );
  for (const [name = '', key = ''] of revisions) contents[name] = await contentOf(redis, key);
  for (const [name, key] of Object.entries(names)) {
    if (name in runKeyDocs) contents[name] = await contentOf(redis, key);
    else if (name in shardKeyDocs && (await redis.type(key)) === 'zset') {
      const score = await redis.zscore(key, id);
      if (score !== null) contents[name] = score;
    }
  }
  return Object.fromEntries(Object.entries(contents).filter(([, value]) => value !== null));
}

async function contentOf(redis: RedisClient, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'none':
      return null;
    case 'string':
      return (await redis.getBuffer(key))?.toString('base64');
    case 'hash': {
      const fields = Object.entries(await redis.hgetallBuffer(key));
      return Object.fromEntries(fields.map(([field, value]) => [field, value.toString('base64')]));
    }
    case 'list':
      return await redis.lrange(key, 0, -1);
    case 'stream':
      return (await redis.xrangeBuffer(key, '-', '+')).map(([entry, fields]) =>
        [entry, ...fields].map((text) => text.toString('base64')),
      );
    default:
      throw new Error(`${key} should be empty`);
  }
}
