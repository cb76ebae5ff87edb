import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a proxy does to what passes; the zero of all: nothing. */
export interface Toxics {
  /** Each piece comes that much later, in order. */
  readonly latencyMs: number;
  /** Both ways together; null: as fast as it goes. */
  readonly bytesPerSecond: number | null;
  /** Nothing passes and nobody is told: a partition without RST. New connections are taken and starve. */
  readonly isBlackHole: boolean;
}

const harmless: Toxics = { latencyMs: 0, bytesPerSecond: null, isBlackHole: false };

/**
 * Stands between one process and Redis and disturbs what passes. An own one, since ready-made proxies
 * for this are programs that would have to be installed first.
 */
export class RedisProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #toxics = harmless;
  #busyUntil = 0;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    server.on('connection', (client) => this.#join(client));
  }

  static async start(targetPort: number): Promise<RedisProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RedisProxy(server, targetPort);
  }

  /** From now on; what a black hole held back comes through when it ends, as after a partition. */
  set(toxics: Partial<Toxics>): void {
    this.#toxics = { ...harmless, ...toxics };
    if (this.#toxics.isBlackHole) return;
    for (const release of this.#held.splice(0)) release();
  }

  /** Ends every connection with RST. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set({});
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const upstream = connect(this.#targetPort, '127.0.0.1');
    this.#pass(client, upstream);
    this.#pass(upstream, client);
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      from.pause();
      this.#whenDue(chunk.length, () => {
        if (!to.destroyed) to.write(chunk);
        from.resume();
      });
    });
    from.on('error', () => from.destroy()); // the other side is told by 'close'
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#whenDue(0, () => to.destroy());
    });
  }

  #whenDue(bytes: number, act: () => void): void {
    const { isBlackHole, latencyMs, bytesPerSecond } = this.#toxics;
    if (isBlackHole) {
      this.#held.push(act);
      return;
    }
    const now = performance.now();
    const costMs = bytesPerSecond === null ? 0 : (bytes / bytesPerSecond) * 1_000;
    this.#busyUntil = Math.max(now, this.#busyUntil) + costMs;
    const waitMs = latencyMs + (bytesPerSecond === null ? 0 : this.#busyUntil - now);
    if (waitMs <= 0) act();
    else setTimeout(act, waitMs);
  }
}
