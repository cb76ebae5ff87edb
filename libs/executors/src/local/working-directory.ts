import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export type WorkingDirectory =
  | { readonly kind: 'ready'; readonly path: string }
  | { readonly kind: 'missing'; readonly message: string };

/** Runs whose directory is known to be there. A forgotten one is only made again, which changes nothing. */
const maxKnownRuns = 1_000;

/** Where commands run: in their run's directory, which is made once, or in their `cwd`, which must be there. */
export class WorkingDirectories {
  readonly #dataDir: string;
  readonly #known = new Set<string>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async prepare(runId: string, cwd: string | undefined): Promise<WorkingDirectory> {
    const runDir = join(this.#dataDir, 'runs', runId);
    if (!this.#known.has(runId)) await this.#make(runId, runDir);
    if (cwd === undefined) return { kind: 'ready', path: runDir };

    const path = resolve(runDir, cwd);
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) return { kind: 'ready', path };
    const what = found === null ? 'does not exist' : 'is not a directory';
    return {
      kind: 'missing',
      message: `details.cwd: "${path}" ${what} on this worker; make it first, or leave cwd out to run in the run's directory`,
    };
  }

  /** Makes a run's directory again where somebody took it away. False: it was there. */
  async restore(runId: string): Promise<boolean> {
    return this.#make(runId, join(this.#dataDir, 'runs', runId));
  }

  async #make(runId: string, runDir: string): Promise<boolean> {
    const made = await mkdir(runDir, { recursive: true });
    const [oldest] = this.#known;
    if (this.#known.size >= maxKnownRuns && oldest !== undefined) this.#known.delete(oldest);
    this.#known.add(runId);
    return made !== undefined;
  }
}
