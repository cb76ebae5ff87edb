import { lookup, Resolver } from 'node:dns/promises';

/**
 * The system's own lookup takes one of four threads, which files and connections to Redis need, too: names that are
 * never answered must not have all of them.
 */
const systemLookups = 2;
const answerMs = 2_000;
const tries = 2;

export interface HookResolverOptions {
  /** DNS servers, as `127.0.0.1:53`. Default: the system's. */
  readonly servers?: readonly string[];
}

/**
 * Looks up names. DNS is asked first, however slow it is without holding up anybody else; what it does not know (names of
 * `/etc/hosts`, short names) the system looks up.
 */
export class HookResolver {
  readonly #dns = new Resolver({ timeout: answerMs, tries });
  readonly #waiting: (() => void)[] = [];
  #lookups = 0;

  constructor({ servers }: HookResolverOptions = {}) {
    if (servers !== undefined) this.#dns.setServers([...servers]);
  }

  /** All addresses of a name; throws where there is no answer. */
  async resolve(host: string): Promise<readonly string[]> {
    if (!host.includes('.')) return await this.#askSystem(host);
    const answers = await Promise.allSettled([this.#dns.resolve4(host), this.#dns.resolve6(host)]);
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (found.length > 0) return found;
    if (answers.some((one) => one.status === 'rejected' && isSilence(one.reason))) {
      throw new Error(`DNS did not answer for ${host}`);
    }
    return await this.#askSystem(host);
  }

  async #askSystem(host: string): Promise<readonly string[]> {
    while (this.#lookups >= systemLookups) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    this.#lookups++;
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } finally {
      this.#lookups--;
      this.#waiting.shift()?.();
    }
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ETIMEOUT';
}
