import type { RetryPolicy } from './plan.ts';

/**
 * The delay before the attempt after the given one: exponential with full jitter
 * (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param random in [0, 1)
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const most = Math.min(policy.maxDelayMs, policy.backoffMs * policy.factor ** (attempt - 1));
  return Math.floor(random * most);
}
