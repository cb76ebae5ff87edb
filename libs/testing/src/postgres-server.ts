import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithParent } from './end-with-parent.ts';
import { freePort } from './redis-node.ts';

/** A PostgreSQL of a test's own; it is gone, with its data, when it is disposed. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
}

/** The folder of its programs; null where this machine has none. */
export function findPostgres(): string | null {
  const folders = globSync(
    '{/usr/lib/postgresql/*/bin,/usr/local/bin,/usr/bin,/opt/*/bin}/postgres',
  );
  return (
    folders
      .sort()
      .at(-1)
      ?.replace(/\/postgres$/, '') ?? null
  );
}

/** Starts one on a free port of the loopback. `bin` is the folder of its programs. */
export async function startPostgres(bin: string): Promise<PostgresServer> {
  const dir = mkdtempSync(join(tmpdir(), 'runnel-postgres-'));
  const user = unprivileged();
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid ?? user.uid);
  const data = join(dir, 'data');
  const options = { ...user, cwd: dir, stdio: 'pipe' } as const;
  const setup = ['-D', data, '-U', 'runnel', '--auth=trust', '--encoding=UTF8', '--no-sync'];
  execFileSync(join(bin, 'initdb'), [...setup, '--locale=C.UTF-8'], options);
  const port = await freePort();
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${dir}`];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((one) => ['-c', one])];
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    server = spawn(join(bin, 'postgres'), args, options);
    endWithParent(server);
    await waitUntilReady(server);
  };
  const kill = async (): Promise<void> => {
    if (server === null || server.exitCode !== null) return;
    const gone = once(server, 'exit');
    // At once, without a word to those who are connected.
    server.kill('SIGQUIT');
    await gone;
  };
  await start();
  return {
    url: `postgres://runnel@127.0.0.1:${port}/postgres`,
    start,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** It refuses to run as root. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function waitUntilReady(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const log: string[] = [];
  if (server.stderr === null) throw new Error('PostgreSQL has no log');
  createInterface({ input: server.stderr }).on('line', (line) => {
    log.push(line);
    if (line.includes('ready to accept connections')) resolve();
  });
  server.once('exit', (code) =>
    reject(new Error(`postgres ended with ${code}:\n${log.join('\n')}`)),
  );
  return promise;
}
