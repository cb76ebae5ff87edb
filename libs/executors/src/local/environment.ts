import type { TaskInput } from '@runnel/core';

/** The variables that Runnel itself sets for a command; `details.environment` may not name them. */
export const ownVariables = [
  'RUNNEL_RUN_ID',
  'RUNNEL_RUN_NAME',
  'RUNNEL_TASK_ID',
  'RUNNEL_TASK_CLASS',
  'RUNNEL_ATTEMPT',
  'RUNNEL_IDEMPOTENCY_KEY',
  'RUNNEL_OUTPUT',
  'RUNNEL_INPUTS',
  'RUNNEL_DATA',
  'RUNNEL_TASKS',
] as const;

type OwnName = (typeof ownVariables)[number];
type OwnEnvironment = Record<Exclude<OwnName, 'RUNNEL_TASKS'>, string> & { RUNNEL_TASKS?: string };

export interface EnvironmentSource {
  /** What the worker passes on to every command. */
  readonly base: Readonly<Record<string, string>>;
  readonly task: Pick<TaskInput<unknown>, 'run' | 'task' | 'idempotencyKey'>;
  /** `details.environment`. */
  readonly own: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly outputFile: string;
  readonly inputsFile: string;
  /** Null: it is no generator. */
  readonly tasksFile: string | null;
}

/** The whole environment of a command: these variables and no others. */
export function composeEnvironment(source: EnvironmentSource): Record<string, string> {
  const { run, task, idempotencyKey } = source.task;
  const runnel: OwnEnvironment = {
    RUNNEL_RUN_ID: run.id,
    // Empty, not absent, so that a script with `set -u` need not care.
    RUNNEL_RUN_NAME: run.name ?? '',
    RUNNEL_TASK_ID: task.id,
    RUNNEL_TASK_CLASS: task.class,
    RUNNEL_ATTEMPT: String(task.attempt),
    RUNNEL_IDEMPOTENCY_KEY: idempotencyKey,
    RUNNEL_OUTPUT: source.outputFile,
    RUNNEL_INPUTS: source.inputsFile,
    RUNNEL_DATA: source.dataDir,
    ...(source.tasksFile === null ? {} : { RUNNEL_TASKS: source.tasksFile }),
  };
  return { ...source.base, ...source.own, ...runnel };
}
