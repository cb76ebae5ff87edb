import { SetupError } from '@runnel/core';
import type { RedisClient } from './script.ts';

/** Codes of Node's TLS for certificates that are not accepted. */
const certificateCodes =
  /^(?:CERT_|ERR_TLS_CERT_|UNABLE_TO_(?:GET|VERIFY)_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED)/;

/** How ioredis tells of a connection that failed: itself, of a node of a Cluster, of a Sentinel. */
const errorEvents = ['error', 'node error', 'sentinelError'] as const;

/** What has to be put right before a connection can be made; null where waiting may help. */
export function whyHopeless(error: Error): string | null {
  const code = 'code' in error ? String(error.code) : '';
  if (certificateCodes.test(code)) {
    return (
      `the certificate of Redis is not accepted (${error.message}): name the authority that signed it in ` +
      'NODE_EXTRA_CA_CERTS=/path/ca.pem, or use in REDIS_URL the host that it was made for'
    );
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'Redis does not speak TLS there: use redis: instead of rediss: in REDIS_URL, or its tls-port';
  }
  if (/^WRONGPASS/.test(error.message)) {
    return 'Redis does not accept the user or the password in REDIS_URL (%40 stands for an @ in them)';
  }
  if (/^NOAUTH|without any password configured/.test(error.message)) {
    return 'Redis wants a password: REDIS_URL=redis://USER:PASSWORD@host:6379';
  }
  if (/^NOPERM/.test(error.message)) {
    return `the user in REDIS_URL may do too little (${error.message}): docs/operating.md, Rights`;
  }
  return null;
}

/**
 * Waits for the first answer of Redis as long as that may come.
 *
 * @throws SetupError for what no waiting mends: a login, a certificate, rights.
 */
export async function firstAnswer<Answer>(
  redis: RedisClient,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const { promise: hopeless, reject } = Promise.withResolvers<never>();
  const look = (error: Error): void => {
    const why = whyHopeless(error);
    if (why !== null) reject(new SetupError(why));
  };
  for (const event of errorEvents) redis.on(event, look);
  try {
    const answer = ask();
    // Where the other loses, nobody else hears of its error.
    answer.catch(look);
    hopeless.catch(() => undefined);
    return await Promise.race([answer, hopeless]);
  } finally {
    for (const event of errorEvents) redis.off(event, look);
  }
}
