import { createServer } from 'node:net';

/** A port that nobody listens on now. */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  const port = await tryPort(host, 0);
  if (port === null) throw new Error(`there is no free port on ${host}`);
  return port;
}

export async function isPortFree(host: string, port: number): Promise<boolean> {
  return (await tryPort(host, port)) !== null;
}

/** null where it can't be had. */
function tryPort(host: string, wanted: number): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const probe = createServer();
  probe.once('error', () => resolve(null));
  probe.listen(wanted, host, () => {
    const address = probe.address();
    const port = typeof address === 'object' && address !== null ? address.port : null;
    probe.close(() => resolve(port));
  });
  return promise;
}
