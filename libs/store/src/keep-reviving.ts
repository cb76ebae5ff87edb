const reviveAfterMs = 100;

/** What is needed of a connection of ioredis, whatever its replies are typed as. */
interface Connection {
  readonly status: string;
  on(event: 'end', listener: () => void): unknown;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  quit(): Promise<'OK'>;
  duplicate(...options: never): Connection;
}

/**
 * Has a connection by way of Sentinels, and its duplicates (BullMQ's blocking ones), start anew until
 * somebody closes it. ioredis gives it up for good when the news of a failover comes while it is just
 * connecting, which is when most of that news comes.
 */
export function keepReviving<Client extends Connection>(client: Client): Client {
  let isClosing = false;
  const original = {
    disconnect: client.disconnect.bind(client),
    quit: client.quit.bind(client),
    duplicate: client.duplicate.bind(client),
  };
  client.on('end', () => {
    if (!isClosing) setTimeout(revive, reviveAfterMs);
  });
  Object.assign(client, {
    disconnect: (reconnect = false) => {
      if (!reconnect) isClosing = true;
      original.disconnect(reconnect);
    },
    quit: () => {
      isClosing = true;
      return original.quit();
    },
    duplicate: (...options: never) => keepReviving(original.duplicate(...options)),
  });
  return client;

  function revive(): void {
    // Where it fails, `error` tells and `end` comes again.
    if (!isClosing && client.status === 'end') client.connect().catch(() => undefined);
  }
}
