import { waitFor } from './wait-for.ts';

/** An attempt as a client of DaggyR sees it. */
export interface Attempt {
  readonly start_time: string;
  readonly stop_time: string;
  readonly succeeded: boolean;
  readonly killed: boolean;
  readonly output: string;
  readonly error: string;
  readonly exit_code: number | null;
}

export interface Task {
  readonly task: { readonly parents?: readonly string[]; readonly children?: readonly string[] };
  readonly attempts: readonly Attempt[];
  readonly state_changes: readonly { readonly datetime: string; readonly state: string }[];
}

export interface FullRun {
  readonly tags: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, Task>>;
}

export interface Submitted {
  readonly run_id: number;
  readonly warnings?: readonly { readonly path: string; readonly detail: string }[];
}

/** Speaks to the adapter as programs do that were written for DaggyR. */
export class DaggyrClient {
  readonly #base: string;

  constructor(apiUrl: string) {
    this.#base = `${apiUrl}/daggyr/api/v1/runs`;
  }

  submit(document: unknown): Promise<Submitted> {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    const headers = { 'Content-Type': 'application/json' };
    return this.#ask('', { method: 'POST', body, headers });
  }

  state(run: number): Promise<{ readonly state: string; readonly datetime: string }> {
    return this.#ask(`/${run}/state`);
  }

  full(run: number): Promise<FullRun> {
    return this.#ask(`/${run}/full`);
  }

  task(run: number, name: string): Promise<Task> {
    return this.#ask(`/${run}/tasks/${encodeURIComponent(name)}`);
  }

  /** States by name. */
  async tasks(run: number): Promise<Readonly<Record<string, string>>> {
    const tasks: readonly { task_id: string; state: string }[] = await this.#ask(`/${run}/tasks`);
    return Object.fromEntries(tasks.map(({ task_id, state }) => [task_id, state]));
  }

  retry(run: number): Promise<Submitted> {
    return this.#ask(`/${run}`, { method: 'PATCH' });
  }

  kill(run: number): Promise<unknown> {
    return this.#ask(`/${run}`, { method: 'DELETE' });
  }

  /** The state that the run ends in. */
  async end(run: number, withinMs = 60_000): Promise<string> {
    return await waitFor(withinMs, async () => {
      const { state } = await this.state(run);
      return state === 'Queued' || state === 'Running' ? { notYet: state } : { done: state };
    });
  }

  async #ask<Body>(path: string, init: RequestInit = {}): Promise<Body> {
    const response = await fetch(`${this.#base}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return JSON.parse(text === '' ? 'null' : text);
  }
}

/** A task that runs a line of shell. */
export function shell(line: string, fields: object = {}) {
  return { ...fields, details: { command: ['sh', '-c', line] } };
}
