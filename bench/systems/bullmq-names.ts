/** What the producer and the workers of BullMQ agree on. */
export const queueName = 'bench';
export const endedChannel = 'bench:ended';

/** What a job carries. */
export interface TaskJob {
  readonly run: string;
  readonly task: number;
  /** The task is called with this and its number. */
  readonly firstInput: number;
}

/** What tasks do: nothing, wait as in `mixed.ts`, start a command; or nothing, in a Flow that ends with task `all - 1`. */
export const kinds = ['work', 'wait', 'command', 'flow'] as const;
export type Kind = (typeof kinds)[number];

export function leftKey(run: string): string {
  return `bench:${run}:left`;
}

export function childrenKey(run: string): string {
  return `bench:${run}:children`;
}
