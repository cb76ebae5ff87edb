/** Replies of a Redis that is there but can't be written to for now. */
const awayReplies =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|BUSY)\b/;
/** How ioredis and sockets say that there is no answer. */
const awayMessages =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries per request limit|Failed to refresh slots cache|None of startup nodes is available|All sentinels are unreachable)/;
const awayCodes = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Tells an outage of Redis, and a full one, from bugs; null for any other error. */
export function whyRedisFailed(error: unknown): 'away' | 'full' | null {
  if (!(error instanceof Error)) return null;
  // Scripts wrap the reply of the command that failed.
  if (error.message.includes('OOM command not allowed')) return 'full';
  if (error.name === 'MaxRetriesPerRequestError') return 'away';
  if (awayReplies.test(error.message) || awayMessages.test(error.message)) return 'away';
  const code = 'code' in error ? String(error.code) : '';
  return awayCodes.test(code) ? 'away' : null;
}
