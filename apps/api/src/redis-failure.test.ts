import { expect, test } from 'vitest';
import { whyRedisFailed } from './redis-failure.ts';

const withCode = (code: string): Error => Object.assign(new Error('connect failed'), { code });

test.each([
  new Error('Connection is closed.'),
  new Error('Command timed out'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error('READONLY You can not write against a read only replica.'),
  new Error('LOADING Redis is loading the dataset in memory'),
  new Error('CLUSTERDOWN The cluster is down'),
  withCode('ECONNREFUSED'),
  withCode('ENOTFOUND'),
])('takes "%s" for an outage', (error) => {
  expect(whyRedisFailed(error)).toBe('away');
});

test.each([
  new Error("OOM command not allowed when used memory > 'maxmemory'."),
  new Error("ERR Error running script: OOM command not allowed when used memory > 'maxmemory'."),
])('takes "%s" for a full Redis', (error) => {
  expect(whyRedisFailed(error)).toBe('full');
});

test.each([
  new Error('WRONGTYPE Operation against a key holding the wrong kind of value'),
  new TypeError('x is not a function'),
  withCode('ENOENT'),
  'Connection is closed.',
  null,
])('leaves "%s" a bug', (error) => {
  expect(whyRedisFailed(error)).toBeNull();
});
