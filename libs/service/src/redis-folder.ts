import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '@runnel/core';
import { z } from 'zod';
import { isRedisAnswering } from './redis-probe.ts';

/**
 * Two servers on one folder would destroy its append-only file, so a folder is claimed by creating
 * `embedded.json` in it.
 *
 * The claim is void where its owner is dead and its server is gone. A server outlives an owner that
 * was killed by the moment that the watchdog needs: it is waited for. A process number is used again
 * sooner or later, so one that is alive but does not answer is believed for a while only.
 *
 * Of two processes that both find a void claim, the slower must not remove what the faster put in its
 * place: a claim is removed only under a mark of its own, and only if it is still the one that was judged.
 */
const claimRecord = z.object({
  /** So that no two claims are equal. */
  id: z.string(),
  owner: z.int(),
  server: z.object({ pid: z.int(), port: z.int(), password: z.string() }).nullable(),
});
type ClaimRecord = z.infer<typeof claimRecord>;

/** Making or removing a claim takes no time at all; what is half done for longer was left by a crash. */
const markWithinMs = 5_000;

/** A start takes well under a second, loading a large file up to two minutes. */
const startingWithinMs = 150_000;
const dyingWithinMs = 15_000;

export interface FolderClaim {
  /** Notes the server, with its password: the file can be read by its owner alone. */
  record(server: NonNullable<ClaimRecord['server']>): void;
  release(): void;
}

/** @throws SetupError where a server of another process runs in this folder. */
export async function claimRedisFolder(dir: string): Promise<FolderClaim> {
  const file = join(dir, 'embedded.json');
  const giveUpAt = performance.now() + dyingWithinMs;
  const claim: ClaimRecord = { id: randomUUID(), owner: process.pid, server: null };
  while (!tryToCreate(file, JSON.stringify(claim))) {
    const holder = await findHolder(file);
    const isOver = performance.now() > giveUpAt;
    if (holder.kind === 'server' || (holder.kind === 'orphan' && isOver)) {
      throw new SetupError(
        `a Redis server already runs in ${dir} (${holder.text}): stop it, or give another folder`,
      );
    }
    if (holder.kind === 'none' || isOver) removeClaim(file, holder.judged);
    await sleep(10);
  }
  return {
    record: (server) => writeFileSync(file, JSON.stringify({ ...claim, server })),
    release: () => rmSync(file, { force: true }),
  };
}

function tryToCreate(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error: unknown) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Does nothing where another process is at it, or was faster. */
function removeClaim(file: string, judged: string | null): void {
  const mark = `${file}.removing`;
  if (!tryToCreate(mark, '')) {
    if (ageMs(mark) > markWithinMs) rmSync(mark, { force: true });
    return;
  }
  if (readText(file) === judged) rmSync(file, { force: true });
  rmSync(mark, { force: true });
}

/** `orphan`: its owner is dead; `unclear`: it is going away, or its number is another's by now. */
type Holder = { readonly judged: string | null } & (
  | { readonly kind: 'server'; readonly text: string }
  | { readonly kind: 'orphan'; readonly text: string }
  | { readonly kind: 'unclear' | 'none' }
);

async function findHolder(file: string): Promise<Holder> {
  const judged = readText(file);
  const claim = parseClaim(judged);
  if (claim === null) {
    // It may be in the making just now.
    return { kind: ageMs(file) < markWithinMs ? 'unclear' : 'none', judged };
  }
  const { owner, server } = claim;
  if (server === null) {
    if (!isRunning(owner) || ageMs(file) > startingWithinMs) return { kind: 'none', judged };
    return { kind: 'server', text: `process ${owner} is starting it`, judged };
  }
  if (await isRedisAnswering(server)) {
    const text = `process ${server.pid}, port ${server.port}, started by process ${owner}`;
    return { kind: isRunning(owner) ? 'server' : 'orphan', text, judged };
  }
  return { kind: isRunning(server.pid) ? 'unclear' : 'none', judged };
}

/** null where it is gone or incomplete. */
function parseClaim(text: string | null): ClaimRecord | null {
  try {
    return claimRecord.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error: unknown) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** 0 where it is gone. */
function ageMs(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

/** False also for a process that ended but that nobody has waited for yet, where that can be seen. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error: unknown) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // No /proc here.
    return true;
  }
}
