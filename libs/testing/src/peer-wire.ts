import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What replicas and Sentinels say first on a connection; clients of ours say none of it. */
const peerWords = /REPLCONF|PSYNC|sentinel-/i;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isPeer: boolean;
}

/**
 * Stands before a server, for everybody. It can cut the server off from replicas and Sentinels while
 * clients still reach it: the partition in which an old master goes on taking writes. Packets are
 * dropped, no connection is closed.
 */
export class PeerWire implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #isCut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** `target` is asked at each connection: the server's port may not be known before. */
  static async open(target: () => number): Promise<PeerWire> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const wire = new PeerWire(server, typeof address === 'object' ? (address?.port ?? 0) : 0);
    server.on('connection', (near) => wire.#join(near, target()));
    return wire;
  }

  /** Drops what goes between the server and its peers from now on. */
  cut(): void {
    this.#isCut = true;
  }

  /** Lets new connections through again; those that lost packets break. */
  heal(): void {
    this.#isCut = false;
    for (const pair of this.#pairs) if (pair.isPeer) end(pair);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) end(pair);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, port: number): void {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { near, far, isPeer: false };
    this.#pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    this.#pass(pair, near, far);
    this.#pass(pair, far, near);
  }

  #pass(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      pair.isPeer ||= from === pair.near && peerWords.test(chunk.toString('latin1'));
      if (!(this.#isCut && pair.isPeer)) to.write(chunk);
    });
    const ended = (): void => {
      if (this.#isCut && pair.isPeer) return;
      this.#pairs.delete(pair);
      end(pair);
    };
    from.on('end', ended).on('error', ended).on('close', ended);
  }
}

function end({ near, far }: Pair): void {
  near.destroy();
  far.destroy();
}
