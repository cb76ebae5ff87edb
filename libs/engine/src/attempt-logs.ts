import { type AttemptResult, AttemptSecrets } from '@runnel/core';
import type { RunInfo } from '@runnel/store';
import { TaskLog } from './task-log.ts';
import type { WorkerContext } from './worker-context.ts';

type LogsContext = Pick<WorkerContext, 'redis' | 'secrets' | 'logTailBytes' | 'logRunBytes'>;

/** What the attempts of one delivery write, by place: each through its secrets into its log. */
export class AttemptLogs {
  readonly #context: LogsContext;
  readonly #info: RunInfo;
  readonly #logs = new Map<number, TaskLog>();
  readonly #secrets = new Map<number, AttemptSecrets>();

  constructor(context: LogsContext, info: RunInfo) {
    this.#context = context;
    this.#info = info;
  }

  open(place: number, task: number, attempt: number): AttemptSecrets {
    const { redis, logTailBytes, logRunBytes } = this.#context;
    const log = new TaskLog({
      redis,
      run: this.#info.facts.handle,
      task,
      attempt,
      tailBytes: logTailBytes,
      runCapBytes: logRunBytes,
    });
    this.#logs.set(place, log);
    const secrets = new AttemptSecrets(this.#context.secrets, log);
    this.#secrets.set(place, secrets);
    return secrets;
  }

  /** A result without the secrets that the attempt has read. */
  redact(place: number, result: AttemptResult): AttemptResult {
    return this.#secrets.get(place)?.redact(result) ?? result;
  }

  /** Nothing more comes: what was held back is written, and on its way. */
  end(place: number): void {
    this.#secrets.get(place)?.endLog();
    this.#logs.get(place)?.flush();
  }

  tail(place: number): string {
    return this.#logs.get(place)?.tail().toString() ?? '';
  }

  /** Resolves when all that was written is in Redis, or given up. */
  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
  }
}
