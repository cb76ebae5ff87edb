import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Two numbers of 19 digits and a blank. */
const recordBytes = 39;

/** Where a helper notes the process that it started last, for the case that it dies before it can tell. */
export class LastPidFile implements Disposable {
  readonly path: string;
  readonly #descriptor: number;

  constructor(temporaryDir: string) {
    this.path = join(temporaryDir, `runnel-${randomUUID()}`);
    this.#descriptor = openSync(this.path, 'wx+', 0o600);
  }

  /** Once both sides have it open it needs no name, and nothing is left of it when they are gone. */
  removeName(): void {
    rmSync(this.path, { force: true });
  }

  /** The process that was started for a request of this number; null where none was. */
  read(request: number): number | null {
    const record = Buffer.alloc(recordBytes);
    readSync(this.#descriptor, record, 0, recordBytes, 0);
    const [number, pid = 0] = record.toString('latin1').trim().split(/ +/).map(Number);
    return number === request && pid > 1 ? pid : null;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    this.removeName();
  }
}
