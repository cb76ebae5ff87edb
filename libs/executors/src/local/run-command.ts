import { type AttemptResult, describeFailure, startDeadline, type TaskInput } from '@runnel/core';
import { createAttemptFiles, readOutput } from './attempt-files.ts';
import type { LocalDetails } from './details.ts';
import { composeEnvironment } from './environment.ts';
import type {
  ProcessEnd,
  ProcessRequest,
  ProcessStarter,
  StartedProcess,
} from './process-starter.ts';
import { describeSpawnFailure } from './spawn-failure.ts';
import { prepareDirectory } from './working-directory.ts';

/**
 * How long output may still come after a command's own end, and again after the rest of its group was killed. Enough
 * for a `tee` behind it to finish, short enough that a forgotten background process does not hold up the attempt.
 */
const drainMs = 1_000;

export interface CommandHost {
  readonly starter: ProcessStarter;
  readonly dataDir: string;
  readonly temporaryDir: string;
  readonly killGraceMs: number;
  readonly baseEnvironment: Readonly<Record<string, string>>;
}

/** Runs one attempt's command to its end. Nothing of its process group is left afterwards. */
export async function runCommand(
  task: TaskInput<LocalDetails>,
  outer: AbortSignal,
  host: CommandHost,
): Promise<AttemptResult> {
  const deadline = startDeadline(task.timeoutMs, outer);
  try {
    deadline.signal.throwIfAborted();
    return await attempt(task, deadline.signal, host);
  } catch (error: unknown) {
    return describeFailure(error, deadline.signal, task.timeoutMs);
  } finally {
    deadline.clear();
  }
}

/** Throws the abort's reason where the command was stopped. */
async function attempt(
  task: TaskInput<LocalDetails>,
  signal: AbortSignal,
  host: CommandHost,
): Promise<AttemptResult> {
  const { command, cwd, environment, stdin } = task.details;
  const directory = await prepareDirectory(host.dataDir, task.run.id, cwd);
  if (directory.kind === 'missing') {
    const { message } = directory;
    return { outcome: 'failed', reason: 'spawn-error', message, retryable: false };
  }

  await using files = await createAttemptFiles(host.temporaryDir, task.inputs);
  signal.throwIfAborted();
  const request: ProcessRequest = {
    argv: command,
    cwd: directory.path,
    stdin: stdin ?? null,
    log: task.log,
    environment: composeEnvironment({
      base: host.baseEnvironment,
      task,
      own: environment ?? {},
      dataDir: host.dataDir,
      outputFile: files.outputFile,
      inputsFile: files.inputsFile,
    }),
  };
  const started = await host.starter.start(request);
  if (started.kind === 'not-started') return describeSpawnFailure(started, request);
  const end = await supervise(started, signal, host.killGraceMs);
  const failure = describeEnd(end, task.successExitCodes);
  return failure ?? (await succeed(files.outputFile, end.exitCode));
}

/**
 * Waits for the leader, stops the group where the signal says so, and then clears away what is left of it. The group
 * is killed after every end, also a normal one: what a command left in the background would outlive its attempt.
 *
 * The group's number can't belong to somebody else meanwhile: the system keeps it as long as the group has a member.
 * With no member left, only a new group made between the leader's end and this kill could be hit.
 */
async function supervise(
  started: StartedProcess,
  signal: AbortSignal,
  killGraceMs: number,
): Promise<ProcessEnd> {
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    started.signalGroup('SIGTERM');
    killer = setTimeout(() => started.signalGroup('SIGKILL'), killGraceMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const end = await started.ended;
  signal.removeEventListener('abort', stop);
  clearTimeout(killer);
  // Taken before the waiting below: a command that had already ended is not cancelled any more.
  const stopped = signal.aborted;

  await started.drained(drainMs);
  started.signalGroup('SIGKILL');
  await started.drained(drainMs);
  started.close();
  if (stopped) signal.throwIfAborted();
  return end;
}

/** Null where the command succeeded. */
function describeEnd(end: ProcessEnd, successExitCodes: readonly number[]): AttemptResult | null {
  if (end.exitCode === null) {
    const signal = end.signal ?? 'an unknown signal';
    const message = `the command was killed by ${signal}`;
    return { outcome: 'failed', reason: 'signal', message, signal };
  }
  if (successExitCodes.includes(end.exitCode)) return null;
  const message = `the command exited with code ${end.exitCode}`;
  return { outcome: 'failed', reason: 'exit', message, exitCode: end.exitCode };
}

async function succeed(outputFile: string, exitCode: number | null): Promise<AttemptResult> {
  const code = exitCode === null ? {} : { exitCode };
  const checked = await readOutput(outputFile);
  if (checked === null) return { outcome: 'succeeded', ...code };
  if (checked.kind === 'valid') return { outcome: 'succeeded', output: checked.output, ...code };
  return { outcome: 'failed', reason: 'output-invalid', message: checked.message, ...code };
}
