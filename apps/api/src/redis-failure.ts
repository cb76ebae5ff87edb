import { isRedisFull, NotReplicatedError } from '@runnel/store';

/** Replies of a Redis that is there but can't be written to for now. */
const awayReplies =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|BUSY)\b/;
/** How ioredis and sockets say that there is no answer. */
const awayMessages =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries per request limit|Failed to refresh slots cache|None of startup nodes is available|All sentinels are unreachable|Too many Cluster redirections|ClusterAllFailedError|Socket timeout)/;
const awayCodes = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Tells an outage of Redis, a full one and one without replicas from bugs; null for any other error. */
export function whyRedisFailed(error: unknown): 'away' | 'full' | 'unsafe' | null {
  if (!(error instanceof Error)) return null;
  if (isRedisFull(error)) return 'full';
  if (error instanceof NotReplicatedError) return 'unsafe';
  if (error.name === 'MaxRetriesPerRequestError') return 'away';
  if (awayReplies.test(error.message) || awayMessages.test(error.message)) return 'away';
  const code = 'code' in error ? String(error.code) : '';
  return awayCodes.test(code) ? 'away' : null;
}
