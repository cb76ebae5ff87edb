import type { Lane } from '@runnel/core';
import type { Durations, Estimates } from '@runnel/planning';
import { parseDuration } from '@runnel/spec';
import { UsageError } from './exit-codes.ts';

/** What a simulation takes for given, as the command line says it. */
export interface Assumptions {
  readonly estimates: Estimates;
  /** Slots of a queue: a pool, or `POOL.waits` for its executors that only wait. */
  slotsOf(queue: string): number;
  /** Classes for which no duration was given or learnt. */
  readonly assumed: ReadonlySet<string>;
}

export interface AssumptionTexts {
  /** `CLASS=2s`, `CLASS=2s..10s` (half and 95 of 100 at most), or one for all classes. */
  readonly durations: readonly string[];
  /** `POOL=8`, or one for all. */
  readonly slots: readonly string[];
  /** `CLASS=0.01`, or one for all. */
  readonly failureRates: readonly string[];
  readonly classes: readonly string[];
  readonly queues: readonly string[];
  /** Of earlier runs; what is given stands above it. */
  readonly learnt?: LearntEstimates;
  /** What a worker of this machine's settings would offer, by lane. */
  defaultSlots(lane: Lane): number;
}

/** What earlier runs say; undefined of what they don't. */
export interface LearntEstimates {
  duration(className: string): Durations | undefined;
  failureRate(className: string): number | undefined;
}

const assumedDuration: Durations = { p50Ms: 1_000, p95Ms: 1_000 };

/** Throws UsageError. */
export function readAssumptions(texts: AssumptionTexts): Assumptions {
  const { classes, queues, learnt } = texts;
  const givenDurations = parseAll('--duration', texts.durations, classes, parseDurations);
  const givenRates = parseAll('--failure-rate', texts.failureRates, classes, parseRate);
  const durations = (name: string): Durations | undefined =>
    givenDurations(name) ?? learnt?.duration(name);
  const rates = (name: string): number | undefined => givenRates(name) ?? learnt?.failureRate(name);
  const slots = parseAll('--slots', texts.slots, queues, parseSlots);
  return {
    estimates: {
      duration: (name) => durations(name) ?? assumedDuration,
      failureRate: (name) => rates(name) ?? 0,
    },
    slotsOf: (queue) => slots(queue) ?? texts.defaultSlots(isWaiting(queue) ? 'waits' : 'computes'),
    assumed: new Set(classes.filter((name) => durations(name) === undefined)),
  };
}

/** The queue of a pool, as workers serve it. */
export function queueOf(pool: string, lane: Lane): string {
  return lane === 'waits' ? `${pool}.waits` : pool;
}

function isWaiting(queue: string): boolean {
  return queue.endsWith('.waits');
}

/** Values by name, and one for all others; a name that there is not is an error. */
function parseAll<T>(
  option: string,
  texts: readonly string[],
  names: readonly string[],
  parse: (text: string) => T | null,
): (name: string) => T | undefined {
  const byName = new Map<string, T>();
  let others: T | undefined;
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = at === -1 ? null : text.slice(0, at);
    const value = parse(text.slice(at + 1));
    if (value === null) throw new UsageError(`${option} ${text}: ${formOf(option)}`);
    if (name === null) others = value;
    else if (names.includes(name)) byName.set(name, value);
    else
      throw new UsageError(`${option} ${text}: there is no ${name}; there is ${names.join(', ')}`);
  }
  return (name) => byName.get(name) ?? others;
}

function formOf(option: string): string {
  switch (option) {
    case '--duration':
      return 'write a class and how long an attempt takes: pull=2s, or pull=2s..10s (half of them take 2s or less, 95 of 100 take 10s or less)';
    case '--slots':
      return 'write a pool and a whole number from 1 on: default=8';
    default:
      return 'write a class and a share from 0 to 1: pull=0.01';
  }
}

function parseDurations(text: string): Durations | null {
  const [low = '', high = low] = text.split('..');
  const p50Ms = parseDuration(low);
  const p95Ms = parseDuration(high);
  return p50Ms === null || p95Ms === null || p95Ms < p50Ms ? null : { p50Ms, p95Ms };
}

function parseRate(text: string): number | null {
  const value = Number(text);
  return text !== '' && value >= 0 && value <= 1 ? value : null;
}

function parseSlots(text: string): number | null {
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
}
