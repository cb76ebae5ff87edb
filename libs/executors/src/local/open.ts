import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { ExecutorEnvironment, OpenExecutor } from '@runnel/core';
import { baseEnvironment } from '../base-environment.ts';
import type { LocalDetails } from './details.ts';
import { createExecaStarter } from './execa-starter.ts';
import { runCommand } from './run-command.ts';

/** The local executor, ready to run commands. Disposing kills what still runs. */
export function openLocal(environment: ExecutorEnvironment): OpenExecutor<LocalDetails> {
  const starter = createExecaStarter();
  const host = {
    starter,
    // A command runs in another directory, so what it is told must not depend on the worker's.
    dataDir: resolve(environment.dataDir),
    temporaryDir: tmpdir(),
    killGraceMs: environment.killGraceMs,
    baseEnvironment: baseEnvironment(process.env),
  };
  return {
    async execute(batch, end): Promise<void> {
      for (const [index, task] of batch.tasks.entries()) {
        const startedAt = performance.now();
        const result = await runCommand(task, batch.signal, host);
        end(index, result, performance.now() - startedAt);
      }
    },
    [Symbol.asyncDispose]: () => starter[Symbol.asyncDispose](),
  };
}
