import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type ExecutorEnvironment, type OpenExecutor, signalOf } from '@runnel/core';
import { baseEnvironment } from '../base-environment.ts';
import { AttemptFilesStore } from './attempt-files.ts';
import type { LocalDetails } from './details.ts';
import { createExecaStarter } from './execa-starter.ts';
import { HelperStarter } from './helper-starter.ts';
import type { LocalOptions } from './index.ts';
import type { ProcessStarter } from './process-starter.ts';
import { runCommand } from './run-command.ts';
import { WorkingDirectories } from './working-directory.ts';

/** Helpers that are kept without work: more cost memory, and few workers run more commands at once. */
const maxIdleHelpers = 32;

/** The local executor, ready to run commands. Disposing kills what still runs. */
export function openLocal(
  environment: ExecutorEnvironment,
  options: LocalOptions,
): OpenExecutor<LocalDetails> {
  // A command runs in another directory, so what it is told must not depend on the worker's.
  const dataDir = resolve(environment.dataDir);
  const generatorStarter = createExecaStarter();
  const starter = createStarter(environment.concurrency, options, generatorStarter);
  const files = new AttemptFilesStore(tmpdir());
  const host = {
    ...{ starter, generatorStarter },
    files,
    dataDir,
    directories: new WorkingDirectories(dataDir),
    killGraceMs: environment.killGraceMs,
    baseEnvironment: baseEnvironment(process.env),
  };
  return {
    async execute(batch, end): Promise<void> {
      for (const [index, task] of batch.tasks.entries()) {
        const startedAt = performance.now();
        const result = await runCommand(task, signalOf(batch, index), host);
        end(index, result, performance.now() - startedAt);
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await starter[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

function createStarter(
  concurrency: number,
  options: LocalOptions,
  fallback: ProcessStarter,
): ProcessStarter {
  if (options.starter === 'execa') return fallback;
  return new HelperStarter({
    python: options.python ?? 'python3',
    environment: baseEnvironment(process.env),
    temporaryDir: tmpdir(),
    maxIdle: Math.min(concurrency, maxIdleHelpers),
    fallback,
    warn: options.warn ?? ((message) => process.emitWarning(message)),
  });
}
