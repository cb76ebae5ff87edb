import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callBytes, journalPrefix } from './journal.ts';
import { percentile } from './measure.ts';

/** One call of a task's function. */
export interface Call {
  readonly task: number;
  readonly startMs: number;
  readonly endMs: number;
  /** The thread that made it. */
  readonly lane: number;
}

/** Journals are written every 50 ms; a machine that is busy may take longer. */
const journalsWithinMs = 10_000;

/**
 * Waits until the journals in a folder hold as many calls as there are tasks, and proves that each task from 0 was
 * called once.
 *
 * @throws Error where a task was called never, or twice.
 */
export async function proveCalls(dir: string, tasks: number): Promise<void> {
  const deadline = performance.now() + journalsWithinMs;
  while (countCalls(dir) < tasks && performance.now() < deadline) await sleep(20);
  const times = new Uint8Array(tasks);
  for (const file of journalsIn(dir)) {
    const bytes = readFileSync(file);
    for (let at = 0; at + callBytes <= bytes.length; at += callBytes) {
      const task = bytes.readInt32LE(at);
      times[task] = (times[task] ?? 0) + 1;
    }
  }
  const wrong = times.findIndex((count) => count !== 1);
  if (wrong >= 0) throw new Error(`task ${wrong} was called ${times[wrong]} times instead of once`);
}

/** All calls, by thread and in the order in which it made them. */
export function readCalls(dir: string): readonly Call[] {
  return journalsIn(dir).flatMap((file, lane) => {
    const bytes = readFileSync(file);
    return Array.from({ length: Math.floor(bytes.length / callBytes) }, (_, index): Call => {
      const at = index * callBytes;
      return {
        task: bytes.readInt32LE(at),
        startMs: Number(bytes.readBigUInt64LE(at + 4)) / 1e6,
        endMs: Number(bytes.readBigUInt64LE(at + 12)) / 1e6,
        lane,
      };
    });
  });
}

/** Of a chain in the order of its numbers: the times from a task's start to the next one's. */
export function hopsOf(calls: readonly Call[]): { readonly p50: number; readonly p99: number } {
  const starts = [...calls].sort((a, b) => a.task - b.task).map(({ startMs }) => startMs);
  const hops = starts.slice(1).map((start, index) => start - (starts[index] ?? start));
  return { p50: percentile(hops, 0.5), p99: percentile(hops, 0.99) };
}

function countCalls(dir: string): number {
  return journalsIn(dir).reduce((sum, file) => sum + statSync(file).size, 0) / callBytes;
}

function journalsIn(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.startsWith(journalPrefix))
    .map((name) => join(dir, name));
}
