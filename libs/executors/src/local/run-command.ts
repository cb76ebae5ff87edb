import {
  type AttemptResult,
  type AttemptSucceeded,
  describeFailure,
  type LogWriter,
  startDeadline,
  type TaskInput,
} from '@runnel/core';
import type { AttemptFiles, AttemptFilesStore } from './attempt-files.ts';
import type { LocalDetails } from './details.ts';
import { composeEnvironment } from './environment.ts';
import { readTasksFile, TasksOnStdout } from './generated-tasks.ts';
import type {
  NotStarted,
  ProcessEnd,
  ProcessRequest,
  ProcessStarter,
  StartedProcess,
} from './process-starter.ts';
import { readOutput } from './read-output.ts';
import { describeSpawnFailure } from './spawn-failure.ts';
import type { WorkingDirectories } from './working-directory.ts';

export interface CommandHost {
  readonly starter: ProcessStarter;
  /** Tells stdout from stderr, which a generator needs. */
  readonly generatorStarter: ProcessStarter;
  readonly dataDir: string;
  readonly directories: WorkingDirectories;
  readonly files: AttemptFilesStore;
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
  const directory = await host.directories.prepare(task.run.id, task.details.cwd);
  if (directory.kind === 'missing') {
    const { message } = directory;
    return { outcome: 'failed', reason: 'spawn-error', message, retryable: false };
  }

  await using files = await host.files.open(task.inputs);
  signal.throwIfAborted();
  const stdout = task.generator === undefined ? null : new TasksOnStdout(task.log);
  const log = stdout ?? task.log;
  const request = composeRequest({ task, host, files, log, cwd: directory.path });
  const started = await start(request, task, host);
  if (started.kind === 'not-started') return describeSpawnFailure(started, request);
  const end = await supervise(started, signal, host.killGraceMs);
  const failed = describeEnd(end, task.successExitCodes);
  if (failed !== null) return failed;
  const result = await succeed(files, end);
  return stdout === null || result.outcome !== 'succeeded'
    ? result
    : await addTasks(result, files, stdout);
}

/** Of a generator: the tasks in its file, or else on stdout. */
async function addTasks(
  result: AttemptSucceeded,
  files: AttemptFiles,
  stdout: TasksOnStdout,
): Promise<AttemptResult> {
  const hasFile = files.hasTasks();
  const tasks = hasFile ? await readTasksFile(files.tasksFile) : stdout.text();
  if (tasks !== null) return { ...result, tasks };
  const where = hasFile ? 'in RUNNEL_TASKS' : 'on stdout';
  const message = `the generated tasks ${where} are not UTF-8 text`;
  return { outcome: 'failed', reason: 'output-invalid', message };
}

interface RequestSource {
  readonly task: TaskInput<LocalDetails>;
  readonly host: CommandHost;
  readonly files: AttemptFiles;
  readonly log: LogWriter;
  readonly cwd: string;
}

function composeRequest({ task, host, files, log, cwd }: RequestSource): ProcessRequest {
  const { command, environment, stdin } = task.details;
  return {
    argv: command,
    cwd,
    stdin: stdin ?? null,
    log,
    environment: composeEnvironment({
      base: host.baseEnvironment,
      task,
      own: environment ?? {},
      dataDir: host.dataDir,
      outputFile: files.outputFile,
      inputsFile: files.inputsFile,
      tasksFile: task.generator === undefined ? null : files.tasksFile,
    }),
  };
}

async function start(
  request: ProcessRequest,
  task: TaskInput<LocalDetails>,
  host: CommandHost,
): Promise<StartedProcess | NotStarted> {
  const starter = task.generator === undefined ? host.starter : host.generatorStarter;
  const started = await starter.start(request);
  if (started.kind === 'started' || task.details.cwd !== undefined) return started;
  // The run's directory was made for an earlier task; where somebody has removed it since, that was the reason.
  const wasMissing = await host.directories.restore(task.run.id);
  return wasMissing ? starter.start(request) : started;
}

/** Waits for the end of the whole group, and stops it where the signal says so. */
async function supervise(
  started: StartedProcess,
  signal: AbortSignal,
  killGraceMs: number,
): Promise<ProcessEnd> {
  let killer: NodeJS.Timeout | undefined;
  let wasStopped = false;
  const stop = (): void => {
    // A command that had already ended is not cancelled any more.
    wasStopped = started.signalGroup('SIGTERM');
    if (wasStopped) killer = setTimeout(() => started.signalGroup('SIGKILL'), killGraceMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    const end = await started.ended;
    if (wasStopped) signal.throwIfAborted();
    return end;
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killer);
  }
}

/** Null where the command succeeded. */
function describeEnd(end: ProcessEnd, successExitCodes: readonly number[]): AttemptResult | null {
  if (end.exitCode === null) {
    const signal = end.signal ?? 'an unknown signal';
    const message = `the command was killed by ${signal}`;
    return { outcome: 'failed', reason: 'signal', message, signal, ...usageOf(end) };
  }
  const { exitCode } = end;
  if (successExitCodes.includes(exitCode)) return null;
  const message = `the command exited with code ${exitCode}`;
  return { outcome: 'failed', reason: 'exit', message, exitCode, ...usageOf(end) };
}

async function succeed(files: AttemptFiles, end: ProcessEnd): Promise<AttemptResult> {
  const rest = { ...(end.exitCode === null ? {} : { exitCode: end.exitCode }), ...usageOf(end) };
  if (!files.hasOutput()) return { outcome: 'succeeded', ...rest };
  const checked = await readOutput(files.outputFile);
  if (checked.kind === 'valid') return { outcome: 'succeeded', output: checked.output, ...rest };
  return { outcome: 'failed', reason: 'output-invalid', message: checked.message, ...rest };
}

function usageOf({ cpuMs, maxRssBytes }: ProcessEnd): Pick<AttemptSucceeded, 'usage'> {
  return cpuMs === null ? {} : { usage: { cpuMs, maxRssBytes } };
}
