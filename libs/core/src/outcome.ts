import type { Json } from './json.ts';

/** How an attempt ended. */
export const outcomes = ['succeeded', 'failed', 'cancelled', 'lost'] as const;
export type Outcome = (typeof outcomes)[number];

/** Why an attempt or a task ended as it did. */
export const reasons = [
  'exit',
  'signal',
  'timeout',
  'error',
  'spawn-error',
  'output-invalid',
  'output-missing',
  'secret-missing',
  'lost',
  'poison',
  'cancelled',
  'skipped-by-rule',
] as const;
export type Reason = (typeof reasons)[number];

/** What an executor answers for one attempt. */
export type AttemptResult = AttemptSucceeded | AttemptFailed | AttemptCancelled;

/** What an attempt cost, where its executor measured that. */
export interface Usage {
  /** User and system time together. */
  readonly cpuMs: number;
  /** The peak of its largest process; null where that is not known. */
  readonly maxRssBytes: number | null;
}

export interface AttemptSucceeded {
  readonly outcome: 'succeeded';
  /** A JSON object of at most `maxOutputBytes`, handed on to direct children. */
  readonly output?: Readonly<Record<string, Json>>;
  /** Of a generator: the tasks that it generated, as text. */
  readonly tasks?: string;
  readonly exitCode?: number;
  readonly usage?: Usage;
}

export interface AttemptFailed {
  readonly outcome: 'failed';
  readonly reason: Exclude<Reason, 'cancelled' | 'skipped-by-rule' | 'lost'>;
  /** One or a few lines for a person: what was wrong and what would put it right. */
  readonly message: string;
  readonly exitCode?: number;
  /** The name of the signal that ended the process, such as SIGKILL. */
  readonly signal?: string;
  readonly usage?: Usage;
  /** False where another try can't help (a missing command, a missing output). Default true. */
  readonly retryable?: boolean;
}

export interface AttemptCancelled {
  readonly outcome: 'cancelled';
}

/** 64 KB: outputs travel through Redis and are read whole by every child. */
export const maxOutputBytes = 65_536;
