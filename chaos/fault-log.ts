import type { JsonLines } from './json-lines.ts';

export type Target = 'worker' | 'listener' | 'api' | 'redis' | 'network';

export interface FaultRecord {
  readonly fault: string;
  readonly target: Target;
  /** Null where it touches all of them. */
  readonly pid: number | null;
}

/** Tells the checker when what was broken. */
export class FaultLog {
  count = 0;
  readonly powerLosses: number[] = [];
  readonly #file: JsonLines;

  constructor(file: JsonLines) {
    this.#file = file;
  }

  /** A fault of a moment. */
  now(record: FaultRecord): void {
    const at = Date.now();
    this.write(record, at, at);
  }

  /** A fault that lasts as long as `act`. */
  async during(record: FaultRecord, act: () => Promise<void>): Promise<void> {
    const from = Date.now();
    await act();
    this.write(record, from, Date.now());
  }

  write(record: FaultRecord, from: number, to: number): void {
    this.count++;
    this.#file.append({ ...record, from, to });
  }
}
