import { SetupError } from '@runnel/core';
import type { Settings } from './settings.ts';

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Nothing is open by default: whoever reaches the API can run commands on the workers.
 *
 * @throws SetupError when others could reach the API without a token.
 */
export function requireTokenBeyondLoopback(settings: Pick<Settings, 'host' | 'token'>): void {
  if (settings.token !== null || isLoopback(settings.host)) return;
  throw new SetupError(
    `RUNNEL_HOST ${settings.host} can be reached from other machines: set RUNNEL_TOKEN, or listen on 127.0.0.1`,
  );
}
