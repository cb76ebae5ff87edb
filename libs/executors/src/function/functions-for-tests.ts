import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { z } from 'zod';
import { defineFunction } from './define-function.ts';

// What the tests of the function executor call. Each export shows one way to behave or misbehave.

/** Asks for a secret and lets it out in every way. */
export const tell = defineFunction({
  name: 'tell',
  input: z.strictObject({ secret: z.string(), way: z.enum(['log', 'error', 'output', 'flood']) }),
  run: async ({ secret: name, way }, { secret, log }) => {
    const value = await secret(name);
    if (way === 'error') throw new Error(`can't log in with ${value}`);
    if (way === 'output') return { length: value.length, value };
    log(`it is ${value.slice(0, 3)}`.trimEnd());
    process.stdout.write(`also ${value.slice(0, 5)}`);
    process.stdout.write(`${value.slice(5)}\n`);
    if (way === 'flood') for (let line = 0; line < 20_000; line++) log(`${line} ${value}`);
    return { length: value.length };
  },
});

/** What the last call of `keep` got, and whether a call that was not waited for ever came back. */
let kept = 'nothing';

export const keep = defineFunction({
  name: 'keep',
  run: (_, { secret }) => {
    secret('DB').then(
      (value) => {
        kept = value;
      },
      () => undefined,
    );
  },
});

export const tellKept = defineFunction({
  name: 'tell-kept',
  run: async () => {
    await setTimeout(20);
    return { kept };
  },
});

export const nothing = defineFunction({ name: 'nothing', run: () => undefined });

export const greet = defineFunction({
  name: 'greet',
  input: z.strictObject({ to: z.string() }),
  output: z.strictObject({ greeting: z.string() }),
  run: async ({ to }, { log }) => {
    log(`greeting ${to}`);
    return { greeting: `hello ${to}` };
  },
});

export const describeContext = defineFunction({
  name: 'describe-context',
  run: (_, { run, task, inputs, idempotencyKey }) => ({ run, task, inputs, idempotencyKey }),
});

export const returnInput = defineFunction({ name: 'return-input', run: (input) => input });

export const returnMap = defineFunction({ name: 'return-map', run: () => new Map([['a', 1]]) });

export const returnCycle = defineFunction({
  name: 'return-cycle',
  run: () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    return cycle;
  },
});

export const returnLarge = defineFunction({
  name: 'return-large',
  run: () => ({ text: 'x'.repeat(70_000) }),
});

export const breakOutput = defineFunction({
  name: 'break-output',
  output: z.strictObject({ count: z.number() }),
  run: (): { count: number } => JSON.parse('{"count":"three"}'),
});

export const fail = defineFunction({
  name: 'fail',
  run: () => {
    throw new TypeError('no luck');
  },
});

export const wait = defineFunction({
  name: 'wait',
  run: async (_, { log, signal }) => {
    log('started');
    await setTimeout(1_000_000, undefined, { signal });
  },
});

/** Hears no signal and lets no timer fire. */
export const busy = defineFunction({
  name: 'busy',
  input: z.strictObject({ ms: z.number() }),
  run: ({ ms }, { log }) => {
    log('started');
    const until = performance.now() + ms;
    while (performance.now() < until);
  },
});

export const exit = defineFunction({ name: 'exit', run: () => process.exit(3) });

export const throwLater = defineFunction({
  name: 'throw-later',
  run: async () => {
    queueMicrotask(() => {
      throw new Error('out of any function');
    });
    await setTimeout(10_000);
  },
});

export const killProcess = defineFunction({
  name: 'kill-process',
  run: () => {
    process.kill(process.pid, 'SIGKILL');
    while (true);
  },
});

export const whereAmI = defineFunction({
  name: 'where-am-i',
  run: () => ({ pid: process.pid, threadId, environment: { ...process.env } }),
});

export const print = defineFunction({
  name: 'print',
  run: () => {
    process.stdout.write('by stdout\n');
    process.stderr.write('by stderr\n');
  },
});

export const flood = defineFunction({
  name: 'flood',
  run: (_, { log }) => {
    for (let line = 0; line < 200_000; line++) log(`line ${line}`);
  },
});

/** Writes to the log of an attempt that has ended. */
export const logLater = defineFunction({
  name: 'log-later',
  run: (_, { log }) => {
    setInterval(() => log('too late'), 1);
  },
});
