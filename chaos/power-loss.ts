import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClusterOptions } from './cluster.ts';
import type { Strike } from './nemesis.ts';

const source = fileURLToPath(new URL('./fsync-recorder.c', import.meta.url));

/** Null where a shared library can be made that records what was synced. */
export function whyNoRecorder(): string | null {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux' ? null : 'only on Linux';
  } catch {
    return 'no C compiler (cc) to make the recorder of syncs';
  }
}

/** A Redis of which is known at any time what a power failure would leave. */
export function recordedRedis(
  dir: string,
  appendfsync: 'always' | 'everysec',
): Omit<ClusterOptions, 'dir'> {
  const library = join(dir, 'fsync-recorder.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl']);
  return { redis: { appendfsync }, redisEnv: { LD_PRELOAD: library } };
}

/** Kills Redis again and again and takes from its files what had not reached the disk. */
export async function losePower({ cluster, random, faults, until, note }: Strike): Promise<void> {
  let lostBytes = 0;
  do {
    await sleep(random.between(2_500, 5_000));
    faults.powerLosses.push(Date.now());
    await faults.during({ fault: 'power-loss', target: 'redis', pid: null }, async () => {
      await cluster.redis.kill();
      lostBytes += cutToSynced(join(cluster.redis.dir, 'appendonlydir'));
      await cluster.redis.start();
    });
  } while (Date.now() < until);
  note(`${lostBytes} bytes of the append-only file were written and not synced`);
}

/** How many bytes were cut off. */
function cutToSynced(dir: string): number {
  let cut = 0;
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.incr.aof'))) {
    const path = join(dir, name);
    const record = `${path}.synced`;
    const synced = existsSync(record) ? Number(readFileSync(record, 'utf8')) : 0;
    const { size } = statSync(path);
    if (size <= synced) continue;
    cut += size - synced;
    truncateSync(path, synced);
  }
  return cut;
}
