import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, freemem, loadavg, release, totalmem, type } from 'node:os';
import { findRedisServer } from '@runnel/service';
import { z } from 'zod';

/** What figures depend on beside the code. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  /** Of the last minute, before anything was measured: others' work makes every figure worse. */
  readonly load: number;
  readonly freeGb: number;
}

export type Versions = Readonly<Record<string, string>>;

const bytesPerGb = 2 ** 30;
const packageFile = z.object({ version: z.string() });

export function readMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / bytesPerGb),
    os: `${type()} ${release()}`,
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
    freeGb: Math.round(freemem() / bytesPerGb),
  };
}

export function readVersions(): Versions {
  const own = new URL('../package.json', import.meta.url);
  return {
    runnel: packageFile.parse(JSON.parse(readFileSync(own, 'utf8'))).version,
    commit: run('git', ['-C', import.meta.dirname, 'describe', '--always', '--dirty']),
    node: process.versions.node,
    redis: run(findRedisServer(), ['--version']).match(/v=(\S+)/)?.[1] ?? 'unknown',
    bullmq: versionOf('bullmq'),
    ioredis: versionOf('ioredis'),
    make: run('make', ['--version']).match(/Make (\S+)/)?.[1] ?? 'none',
  };
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return packageFile.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

function run(program: string, words: readonly string[]): string {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    // Not installed, or no repository: the figure is worth telling all the same.
    return 'unknown';
  }
}
