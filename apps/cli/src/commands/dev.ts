import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseRedisAddress } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, type Cli, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { aborted, closeStack } from '../dev/close-stack.ts';
import { readDevFile, writeDevFile } from '../dev/dev-file.ts';
import { isPortFree } from '../dev/free-port.ts';
import { formatLogLine } from '../dev/log-line.ts';
import { quietRepeats } from '../dev/quiet-repeats.ts';
import { type RedisChoice, Stack } from '../dev/stack.ts';
import { readStackSettings, type StackSettings } from '../dev/stack-settings.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { watchInterrupts } from '../interrupts.ts';

const devOptions = globalOptions.extend({
  port: z.number().optional(),
  workers: z.number().optional(),
  concurrency: z.number().optional(),
  functions: z.string().optional(),
  executors: z.string().optional(),
  memory: z.boolean().default(false),
  redis: z.string().optional(),
});
type DevOptions = z.infer<typeof devOptions>;

export const addDev: AddCommand = (program, cli) => {
  program
    .command('dev')
    .description('start API, listener, workers and a Redis of their own; Ctrl-C ends them')
    .option('--port <port>', 'of the API; default 2503', parseWhole('--port', 1, 65_535))
    .option('--workers <n>', 'worker processes; default 1', parseWhole('--workers', 1, 64))
    .option(
      '--concurrency <n>',
      'tasks that one worker computes at once; default: cores - 2, at least 1',
      parseWhole('--concurrency', 1, 4096),
    )
    .option('--functions <files>', 'modules with functions, separated by commas')
    .option('--executors <files>', 'modules with executors, separated by commas')
    .addOption(new Option('--memory', 'a Redis that keeps nothing').conflicts('redis'))
    .option('--redis <url>', 'use this Redis; default: one of its own in .runnel/redis')
    .addHelpText('after', '\nExample:\n  runnel dev --workers 2 --functions ./functions.ts')
    .action(async (_options: unknown, command: Command) => {
      await dev(cli, readOptions(devOptions, command));
    });
};

async function dev(cli: Cli, options: DevOptions): Promise<void> {
  const { terminal, env, cwd } = cli;
  using interrupts = watchInterrupts();
  const { memory, redis, port, workers, concurrency, functions, executors } = options;
  const flags = { port, workers, concurrency, functions, executors };
  const settings = readStackSettings({ env, cwd, flags, isQuiet: false, isPrivate: false });
  await refuseSecondServer(cwd, settings);

  const startedAt = performance.now();
  terminal.say('starting …');
  const stack = await Stack.start({
    ...settings,
    cwd,
    redis: chooseRedis({ memory, url: redis, cwd }),
    onLine: quietRepeats((label, line) => terminal.say(formatLogLine(line, label, terminal.style))),
    say: (text) => terminal.say(`${terminal.style.bold('runnel')} ${text}`),
    signal: interrupts.first,
  }).catch((error: unknown) => {
    if (interrupts.first.aborted) return null;
    throw error;
  });
  if (stack === null) return cli.finish(exitCodes.interrupted);

  const { url, token } = settings;
  {
    using _file = writeDevFile(cwd, { url, token, pid: process.pid });
    tellReady(cli, settings, performance.now() - startedAt);
    await aborted(interrupts.first);
  }
  terminal.say('stopping … (Ctrl-C again: at once)');
  await closeStack(stack, interrupts);
  // A service manager ends it with SIGTERM and wants to see that nothing went wrong.
  cli.finish(interrupts.first.reason === 'SIGTERM' ? exitCodes.ok : exitCodes.interrupted);
}

function chooseRedis(asked: {
  readonly memory: boolean;
  readonly url?: string | undefined;
  readonly cwd: string;
}): RedisChoice {
  const { url, memory, cwd } = asked;
  if (url === undefined) return { kind: 'embedded', memory, dir: join(cwd, '.runnel/redis') };
  try {
    parseRedisAddress(url);
  } catch (error: unknown) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--redis: ${error.message}`, { cause: error });
  }
  return { kind: 'url', url };
}

async function refuseSecondServer(cwd: string, { loaded }: StackSettings): Promise<void> {
  const other = readDevFile(cwd);
  if (other !== null) {
    throw new UsageError(
      `"runnel dev" runs in this folder already: ${other.url} (process ${other.pid})`,
    );
  }
  const { host, port } = loaded.settings;
  if (!(await isPortFree(host, port))) {
    throw new UsageError(`port ${port} of ${host} is taken: choose another with --port`);
  }
}

const example = 'examples/climate-report/run.yaml';

function tellReady({ terminal, cwd }: Cli, settings: StackSettings, ms: number): void {
  const { url, token } = settings;
  const { bold, dim } = terminal.style;
  const header = token === null ? '' : ' -H "Authorization: Bearer $RUNNEL_TOKEN"';
  const spec =
    '{"tasks":[{"class":"hello","executor":"local","details":{"command":["echo","hello"]}}]}';
  for (const line of [
    '',
    `${bold('runnel')} is ready after ${(ms / 1000).toFixed(1)} s; Ctrl-C ends it`,
    `  API    ${url}/api/v1/runs`,
    `  board  ${url}/board`,
    '',
    dim('  start a run:'),
    `  curl -s ${url}/api/v1/runs${header} -H 'Content-Type: application/json' -d '${spec}'`,
    dim('  or, in this folder:'),
    `  npx runnel run ${existsSync(join(cwd, example)) ? example : 'SPEC'}`,
    '',
  ]) {
    terminal.say(line);
  }
}
