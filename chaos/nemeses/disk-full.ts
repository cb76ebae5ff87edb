import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Nemesis } from '../nemesis.ts';

const diskBytes = 64 * 2 ** 20;

/** The disk of Redis is full for a while: it refuses to write until there is room again. */
export const diskFull: Nemesis = {
  name: 'disk-full',
  weight: 0.8,
  unfit: whyNoDisk,
  options(dir) {
    const redisDir = join(dir, 'disk');
    mkdirSync(redisDir);
    mount(redisDir);
    return { redisDir };
  },
  async strike({ cluster, random, faults, until }) {
    const ballast = join(cluster.redis.dir, 'ballast');
    do {
      await sleep(random.between(2_000, 3_000));
      await faults.during({ fault: 'disk-full', target: 'redis', pid: null }, async () => {
        fill(ballast);
        await sleep(random.pick([4_000, 11_000]));
        rmSync(ballast, { force: true });
        // Redis tries again each second; where it gave up, somebody starts it.
        await sleep(1_500);
        if (cluster.redis.isGone()) await cluster.redis.start();
      });
    } while (Date.now() < until);
  },
  cleanUp: (dir) => unmount(join(dir, 'disk')),
};

/** Writes until nothing more fits. */
function fill(path: string): void {
  const piece = Buffer.alloc(64 * 1_024);
  try {
    for (;;) writeFileSync(path, piece, { flag: 'a' });
  } catch {
    // The disk is full, as it should be; the last piece was written as far as it fits.
  }
}

function whyNoDisk(): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'runnel-disk-'));
  try {
    mount(dir);
    unmount(dir);
    return null;
  } catch {
    return 'no right to mount a small disk';
  } finally {
    rmdirSync(dir);
  }
}

function mount(dir: string): void {
  const size = `size=${diskBytes}`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', dir], { stdio: 'ignore' });
}

function unmount(dir: string): void {
  execFileSync('umount', [dir], { stdio: 'ignore' });
}
