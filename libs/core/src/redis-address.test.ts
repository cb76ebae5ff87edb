import { expect, test } from 'vitest';
import { parseRedisAddress } from './redis-address.ts';

const none = { username: null, password: null, isTls: false };

test('reads one server, with user, password and database', () => {
  expect(parseRedisAddress('rediss://app:p%40ss@[::1]:6380/2')).toEqual({
    kind: 'single',
    server: { host: '::1', port: 6380 },
    db: 2,
    username: 'app',
    password: 'p@ss',
    isTls: true,
  });
  expect(parseRedisAddress('redis://redis')).toEqual({
    ...none,
    kind: 'single',
    server: { host: 'redis', port: 6379 },
    db: 0,
  });
});

test('reads Sentinels, the name of the master and the password that they have of their own', () => {
  const text = 'redis-sentinel://:secret@s1,s2:26380/main?db=3&sentinelPassword=other';

  expect(parseRedisAddress(text)).toEqual({
    ...none,
    kind: 'sentinel',
    sentinels: [
      { host: 's1', port: 26_379 },
      { host: 's2', port: 26_380 },
    ],
    master: 'main',
    db: 3,
    sentinelUsername: null,
    sentinelPassword: 'other',
    password: 'secret',
  });
});

test('reads nodes of a Cluster', () => {
  expect(parseRedisAddress('rediss-cluster://a:1,b:2/')).toEqual({
    ...none,
    kind: 'cluster',
    nodes: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
    isTls: true,
  });
});

test.each([
  ['http://redis', 'must be an address such as'],
  ['redis://a,b', 'several servers need the form redis-sentinel: or redis-cluster:'],
  ['redis://a:70000/x', 'the port of server 1 is wrong; the database must be a number'],
  ['redis-sentinel://s1', 'the name of the master is missing'],
  ['redis-sentinel://s1,/main?mode=x', 'server 2 is not of the form host:port'],
  ['redis-cluster://a/3', 'a Cluster has only database 0'],
  ['redis-cluster://a?db=0', 'after "?" this form takes nothing'],
  ['redis://:%zz@a', 'the password is not valid percent-encoding'],
])('says everything that is wrong with %s', (text, message) => {
  expect(() => parseRedisAddress(text)).toThrow(message);
});

test.each(['redis://:hid/den@redis', 'redis://:hid?den@redis', 'redis://:hid den@a,b:c'])(
  'does not repeat a part of the password of %s',
  (text) => {
    let message = '';
    try {
      parseRedisAddress(text);
    } catch (error: unknown) {
      message = String(error);
    }

    expect(message).not.toBe('');
    expect(message).not.toMatch(/hid|den/);
  },
);
