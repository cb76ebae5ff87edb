import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { RedisClient } from '@runnel/store';
import { allScripts as scripts } from '@runnel/store';
import { z } from 'zod';

/** The processes of a system that is measured. */
export interface Measured {
  readonly processes: readonly { readonly app: string; readonly pid: number }[];
  readonly redisPid: number;
  readonly redis: RedisClient;
}

/** What a workload cost, beside its time. */
export interface Cost {
  readonly redisCpuS: number;
  readonly nodeCpuS: number;
  /** Of the machine, by all else that ran: commands that tasks start, and whatever disturbs. */
  readonly otherCpuPercent: number;
  readonly redisBytes: number;
  /** At least 1: Redis logs what takes over 1 ms. */
  readonly longestScriptMs: number;
  /** The slowest commands: milliseconds and what it was, for finding out. */
  readonly slowest: readonly string[];
  /** Peak resident memory of each process, in MB. */
  readonly peakRssMb: Readonly<Record<string, number>>;
}

interface Marks {
  readonly at: number;
  readonly redisCpuS: number;
  readonly nodeCpuS: number;
  /** Of this process, which submits. */
  readonly ownCpuS: number;
  readonly machineCpuS: number;
  readonly redisBytes: number;
}

/** Kept in Redis while it is measured; a longer log would show in its memory. */
const slowLogLength = 10_000;
const shownSlowest = 8;

/** Starts to measure; the function that it returns says what was spent since. */
export async function startMeasuring(measured: Measured): Promise<() => Promise<Cost>> {
  const { redis } = measured;
  await redis.config('SET', 'slowlog-log-slower-than', '1000');
  await redis.config('SET', 'slowlog-max-len', String(slowLogLength));
  await redis.slowlog('RESET');
  const before = await mark(measured);
  return async () => {
    const slow = await readSlow(redis);
    await redis.slowlog('RESET');
    const after = await mark(measured);
    return {
      redisCpuS: after.redisCpuS - before.redisCpuS,
      nodeCpuS: after.nodeCpuS - before.nodeCpuS,
      otherCpuPercent: otherPercent(before, after),
      redisBytes: after.redisBytes - before.redisBytes,
      longestScriptMs: slow[0]?.ms ?? 1,
      slowest: slow.slice(0, shownSlowest).map(({ ms, what }) => `${ms.toFixed(1)} ${what}`),
      peakRssMb: peaks(measured),
    };
  };
}

async function mark({ redis, processes }: Measured): Promise<Marks> {
  const cpu = await redis.info('cpu');
  const memory = await redis.info('memory');
  const node = processes.map(({ pid }) => processCpuS(pid));
  return {
    at: performance.now(),
    ownCpuS: processCpuS(process.pid),
    machineCpuS: machineCpuS(),
    redisCpuS: field(cpu, 'used_cpu_sys') + field(cpu, 'used_cpu_user'),
    nodeCpuS: node.reduce((sum, seconds) => sum + seconds, 0),
    redisBytes: field(memory, 'used_memory'),
  };
}

function otherPercent(before: Marks, after: Marks): number {
  const spent = ({ machineCpuS, redisCpuS, nodeCpuS, ownCpuS }: Marks): number =>
    machineCpuS - redisCpuS - nodeCpuS - ownCpuS;
  const couldS = ((after.at - before.at) / 1000) * availableParallelism();
  return Math.max(0, (100 * (spent(after) - spent(before))) / couldS);
}

/** user, nice, system, idle, iowait, irq, softirq, steal of /proc/stat, in ticks of 10 ms (proc(5)). */
function machineCpuS(): number {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return (user + nice + system + irq + softirq + steal) / 100;
  } catch {
    // This system has no /proc.
    return 0;
  }
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
    // The process is gone, or this system has no /proc.
    return 0;
  }
}

function peaks({ processes, redisPid }: Measured): Record<string, number> {
  const peak: Record<string, number> = {};
  for (const { app, pid } of processes) peak[app] = Math.max(peak[app] ?? 0, peakRssMb(pid));
  peak['redis'] = peakRssMb(redisPid);
  return peak;
}

function peakRssMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    // The process is gone, or this system has no /proc.
    return 0;
  }
}

/** The value below which a part of the sorted values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** number, time, microseconds, command, client. */
const slowLog = z.array(
  z.tuple([z.unknown(), z.unknown(), z.number(), z.array(z.string())]).rest(z.unknown()),
);

async function readSlow(
  redis: RedisClient,
): Promise<readonly { readonly ms: number; readonly what: string }[]> {
  const entries = slowLog.parse(await redis.slowlog('GET', slowLogLength));
  return entries
    .map(([, , us, command]) => ({ ms: us / 1000, what: nameOf(command) }))
    .sort((a, b) => b.ms - a.ms);
}

function nameOf([verb = '', first = '']: readonly string[]): string {
  const script = Object.values(scripts).find(({ sha }) => sha === first);
  return script === undefined ? `${verb} ${first.slice(0, 12)}` : script.name;
}
