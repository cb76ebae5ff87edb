import { join } from 'node:path';
import { SetupError } from '@runnel/core';
import type { Cli } from './cli.ts';
import { findFreePort } from './dev/free-port.ts';
import { formatLogLine } from './dev/log-line.ts';
import { quietRepeats } from './dev/quiet-repeats.ts';
import { Stack, type StackOptions } from './dev/stack.ts';
import { readStackSettings } from './dev/stack-settings.ts';
import { settingsFileOf } from './settings-file.ts';

export interface LocalStackOptions {
  /** The spec's: a settings file beside it counts. */
  readonly folder: string;
  readonly functions?: string | undefined;
  readonly executors?: string | undefined;
  /** Gives up starting. */
  readonly signal: AbortSignal;
}

/** A server on loopback, with a token that nobody else knows. */
export interface LocalStack {
  readonly stack: Stack;
  readonly url: string;
  readonly afterwards: 'stored' | 'gone';
}

/** Everything that one run needs, on this machine. @throws SetupError, StackError. */
export async function startLocalStack(cli: Cli, options: LocalStackOptions): Promise<LocalStack> {
  const { terminal, cwd } = cli;
  const { folder, functions, executors, signal } = options;
  const port = await findFreePort();
  const settings = readStackSettings({
    env: { ...cli.env, ...settingsFileOf(folder, cli.env) },
    cwd,
    flags: { port, functions, executors },
    isQuiet: true,
    isPrivate: true,
  });
  const dir = join(cwd, '.runnel/redis');
  const stackOptions: Omit<StackOptions, 'redis'> = {
    ...settings,
    cwd,
    onLine: quietRepeats((label, line) => terminal.say(formatLogLine(line, label, terminal.style))),
    say: (text) => terminal.say(text),
    signal,
  };
  try {
    const redis = { kind: 'embedded', memory: false, dir } as const;
    const stack = await Stack.start({ ...stackOptions, redis });
    return { stack, url: settings.url, afterwards: 'stored' };
  } catch (error: unknown) {
    if (!(error instanceof SetupError) || !/already runs in/.test(error.message)) throw error;
    terminal.say(`${dir} is in use by another process: this run is not kept`);
    const redis = { kind: 'embedded', memory: true, dir } as const;
    const stack = await Stack.start({ ...stackOptions, redis });
    return { stack, url: settings.url, afterwards: 'gone' };
  }
}
