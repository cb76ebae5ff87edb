import { isLoopback, type Settings } from '@runnel/service';
import type { Request } from 'express';
import { RequestError } from '../request-error.ts';

/**
 * Which names this API answers to. A page on another site can give its own name our address (DNS
 * rebinding) and then reads every answer as if it were its own: so a name must be known. An address
 * can't be given away like that.
 */
export class HostRules {
  readonly #names: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #publicOrigin: string | null;

  constructor(settings: Pick<Settings, 'host' | 'publicUrl' | 'allowedHosts' | 'allowedOrigins'>) {
    const publicUrl = settings.publicUrl === null ? null : new URL(settings.publicUrl);
    this.#publicOrigin = publicUrl?.origin ?? null;
    const names = [settings.host, publicUrl?.host ?? '', ...settings.allowedHosts];
    this.#names = new Set(names.map((name) => name.toLowerCase()).filter((name) => name !== ''));
    this.#origins = new Set(settings.allowedOrigins.map((origin) => origin.toLowerCase()));
  }

  checkHost(request: Request): void {
    const host = request.headers.host?.toLowerCase() ?? '';
    const name = nameOf(host);
    if (isLoopback(name) || this.#names.has(host) || this.#names.has(name)) return;
    if (name !== '' && name === plainAddress(request.socket.localAddress)) return;
    throw new RequestError(
      403,
      `the host ${JSON.stringify(host)} is not one that this API answers to: add it to RUNNEL_ALLOWED_HOSTS, or set RUNNEL_PUBLIC_URL`,
      { code: 'HOST_NOT_ALLOWED' },
    );
  }

  /** Returns the origin where it is another one that is allowed; null for our own, or none. */
  checkOrigin(request: Request): string | null {
    const origin = request.headers.origin;
    if (origin === undefined) return null;
    if (this.#origins.has(origin.toLowerCase())) return origin;
    const host = URL.parse(origin)?.host;
    if (host === request.headers.host?.toLowerCase() || origin === this.#publicOrigin) return null;
    throw new RequestError(
      403,
      `the origin ${JSON.stringify(origin)} is not allowed: add it to RUNNEL_ALLOWED_ORIGINS`,
      { code: 'ORIGIN_NOT_ALLOWED' },
    );
  }
}

/** The name without the port; IPv6 without brackets. */
function nameOf(host: string): string {
  const bracketed = /^\[([\da-f:.]+)\](?::\d+)?$/.exec(host);
  if (bracketed !== null) return bracketed[1] ?? '';
  return host.replace(/:\d+$/, '');
}

/** IPv4 as it is written, although the socket speaks IPv6. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '').toLowerCase();
}

/** True where the request comes from this machine and through no proxy. */
export function isFromHere(request: Request): boolean {
  const isForwarded =
    request.headers.forwarded !== undefined || request.headers['x-forwarded-for'] !== undefined;
  return !isForwarded && isLoopback(plainAddress(request.socket.remoteAddress));
}
