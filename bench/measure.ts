import { readFileSync } from 'node:fs';
import { allScripts as scripts } from '@runnel/store';
import type { Stack } from '@runnel/testing';
import type { Redis } from 'ioredis';

/** What a workload cost, beside its time. */
export interface Cost {
  readonly redisCpuS: number;
  readonly nodeCpuS: number;
  readonly redisBytes: number;
  readonly longestScriptMs: number;
  /** Peak resident memory of each process, in MB. */
  readonly peakRssMb: Readonly<Record<string, number>>;
}

interface Marks {
  readonly redisCpuS: number;
  readonly nodeCpuS: number;
  readonly redisBytes: number;
}

/** Starts to measure; the function that it returns says what was spent since. */
export async function startMeasuring(stack: Stack, redis: Redis): Promise<() => Promise<Cost>> {
  await redis.config('SET', 'slowlog-log-slower-than', '1000');
  await redis.config('SET', 'slowlog-max-len', '10000');
  await redis.slowlog('RESET');
  const before = await mark(stack, redis);
  return async () => {
    const after = await mark(stack, redis);
    const slow = await redis.slowlog('GET', 10_000);
    const times = Array.isArray(slow) ? slow.map((entry) => Number(entry[2]) / 1000) : [];
    return {
      redisCpuS: after.redisCpuS - before.redisCpuS,
      nodeCpuS: after.nodeCpuS - before.nodeCpuS,
      redisBytes: after.redisBytes - before.redisBytes,
      // Redis logs what takes over 1 ms: 1 stands for "at most".
      longestScriptMs: Math.max(1, ...times),
      peakRssMb: peaks(stack),
    };
  };
}

async function mark(stack: Stack, redis: Redis): Promise<Marks> {
  const cpu = await redis.info('cpu');
  const memory = await redis.info('memory');
  const node = stack.processes.map(({ pid }) => processCpuS(pid));
  return {
    redisCpuS: field(cpu, 'used_cpu_sys') + field(cpu, 'used_cpu_user'),
    nodeCpuS: node.reduce((sum, seconds) => sum + seconds, 0),
    redisBytes: field(memory, 'used_memory'),
  };
}

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
}

/** utime and stime, fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms (proc(5)). */
function processCpuS(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

function peaks(stack: Stack): Record<string, number> {
  const peak: Record<string, number> = {};
  for (const { app, pid } of stack.processes) peak[app] = Math.max(peak[app] ?? 0, peakRssMb(pid));
  peak['redis'] = peakRssMb(stack.redis.pid);
  return peak;
}

function peakRssMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** The value below which a part of the sorted values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** The slowest commands with what they were, for finding out. */
export async function slowest(redis: Redis, most: number): Promise<readonly string[]> {
  const slow = await redis.slowlog('GET', 10_000);
  const entries = Array.isArray(slow) ? slow : [];
  return entries
    .map((entry) => ({ ms: Number(entry[2]) / 1000, what: nameOf(entry[3]) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, most)
    .map(({ ms, what }) => `${ms.toFixed(1)} ms ${what}`);
}

function nameOf(command: unknown): string {
  const [verb = '', first = ''] = Array.isArray(command) ? command.map(String) : [];
  const script = Object.values(scripts).find(({ sha }) => sha === first);
  return script === undefined ? `${verb} ${first.slice(0, 40)}` : script.name;
}
