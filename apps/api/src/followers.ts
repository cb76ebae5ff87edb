import { once } from 'node:events';
import type { Response } from 'express';
import type { ApiContext } from './context.ts';
import { RequestError } from './request-error.ts';

/** Each follower asks Redis every two seconds or oftener; more would slow down everyone. */
const mostFollowers = 1_000;

/** Throws where so many logs and feeds are being followed that no more is taken. */
export function requireRoom({ channels }: Pick<ApiContext, 'channels'>): void {
  if (channels.size < mostFollowers) return;
  throw new RequestError(
    429,
    `${mostFollowers} logs and feeds are being followed already: try again later`,
    { headers: { 'Retry-After': '10' } },
  );
}

/** A slow reader holds up only itself: nothing is read for it before it has taken what it was sent. */
export async function waitForDrain(response: Response, signal: AbortSignal): Promise<void> {
  // Aborted where the reader has left; whoever writes next sees that.
  await once(response, 'drain', { signal }).catch(() => undefined);
}
