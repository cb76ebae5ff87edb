import { expect, test } from 'vitest';
import { judgeRedis } from './check-redis.ts';
import type { RedisFacts } from './redis-facts.ts';

const good: RedisFacts = {
  where: '',
  version: '7.0.15',
  isClusterNode: false,
  isMaster: true,
  policy: 'noeviction',
  appendOnly: true,
  appendFsync: 'everysec',
  replicas: 0,
  goodReplicas: null,
};
const fast = { durability: 'fast', form: 'single' } as const;
const ha = { durability: 'ha', form: 'sentinel' } as const;

test('has nothing to say of a Redis that is what it should be', () => {
  const replicated = { ...good, replicas: 2, goodReplicas: 2 };

  expect(judgeRedis([good], fast)).toEqual({ refusals: [], warnings: [] });
  expect(judgeRedis([replicated], ha)).toEqual({ refusals: [], warnings: [] });
});

test('refuses everything that would lose runs, with the command that mends it', () => {
  const bad = { ...good, version: '6.2.7', policy: 'allkeys-lru', isMaster: false };

  const { refusals } = judgeRedis([bad], fast);

  expect(refusals).toEqual([
    'Redis 6.2.7 is too old: 7.0 or newer is needed (scripts use flags)',
    'Redis may evict keys (maxmemory-policy is allkeys-lru), which would lose runs. Set it with: ' +
      'redis-cli CONFIG SET maxmemory-policy noeviction (and the same in redis.conf)',
    'Redis is a replica, which takes no writes: give the master',
  ]);
});

test('warns in mode fast, and refuses in mode durable, where nothing is written to disk', () => {
  const forgetful = { ...good, appendOnly: false, appendFsync: 'always' };

  expect(judgeRedis([forgetful], fast).warnings).toEqual([
    'Redis keeps nothing on disk: when it ends, all runs are gone. Set it with: ' +
      'redis-cli CONFIG SET appendonly yes (and the same in redis.conf)',
  ]);
  expect(judgeRedis([forgetful], { ...fast, durability: 'durable' }).refusals).toHaveLength(1);
});

test('in mode durable every answer must be on disk', () => {
  const durable = { durability: 'durable', form: 'cluster' } as const;
  const nodes = [
    { ...good, where: 'a:1', isClusterNode: true, appendFsync: 'always' },
    { ...good, where: 'b:2', isClusterNode: true },
  ];

  const { refusals } = judgeRedis(nodes, durable);

  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toMatch(/^Redis b:2 answers before.*CONFIG SET appendfsync always/);
});

test('says what a managed Redis does not tell', () => {
  const silent = { ...good, policy: null, appendOnly: null, appendFsync: null };

  const { refusals, warnings } = judgeRedis([silent], { ...fast, durability: 'durable' });

  expect(refusals).toEqual([]);
  expect(warnings.join('\n')).toMatch(/maxmemory-policy[\s\S]*appendonly[\s\S]*appendfsync/);
});

test('in mode ha there are replicas, and the master takes no write without them', () => {
  expect(judgeRedis([good], ha).refusals.join('\n')).toMatch(
    /CONFIG SET min-replicas-to-write 1[\s\S]*has no replica/,
  );
  expect(judgeRedis([good], { ...ha, form: 'cluster' }).refusals).toHaveLength(1);
});

test('a node of a Cluster needs the address of a Cluster', () => {
  const { refusals } = judgeRedis([{ ...good, isClusterNode: true }], fast);

  expect(refusals[0]).toMatch(/redis-cluster:/);
});
