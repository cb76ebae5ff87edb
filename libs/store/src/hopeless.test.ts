import { expect, test } from 'vitest';
import { whyHopeless } from './hopeless.ts';

const withCode = (code: string, message = 'x'): Error =>
  Object.assign(new Error(message), { code });

test.each([
  [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'NODE_EXTRA_CA_CERTS'],
  [withCode('CERT_HAS_EXPIRED', 'certificate has expired'), 'certificate has expired'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'the host that it was made for'],
  [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'redis: instead of rediss:'],
  [
    new Error('WRONGPASS invalid username-password pair or user is disabled.'),
    'user or the password',
  ],
  [new Error('NOAUTH Authentication required.'), 'REDIS_URL=redis://USER:PASSWORD@'],
  [new Error("NOPERM User runnel has no permissions to run the 'info' command"), 'info'],
])('no waiting mends %s', (error, remedy) => {
  expect(whyHopeless(error)).toContain(remedy);
});

test.each([
  withCode('ECONNREFUSED'),
  withCode('ENOTFOUND'),
  withCode('ECONNRESET'),
  new Error('LOADING Redis is loading the dataset in memory'),
  new Error('Connection is closed.'),
])('waiting may help: %s', (error) => {
  expect(whyHopeless(error)).toBe(null);
});
