import { setTimeout as sleep } from 'node:timers/promises';
import type { AnsweredRun, AnsweredTask } from './evidence.ts';

const finalRunStates = ['succeeded', 'failed', 'cancelled'];

/** The product's API as any client sees it. */
export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = `${url}/api/v1`;
  }

  /** A run once it has ended, or as it is at the deadline; null where there is none. */
  async readRun(id: string, isOver: () => boolean): Promise<AnsweredRun | null> {
    for (;;) {
      const run = await this.#ask<AnsweredRun>(`/runs/${id}`);
      if (run === null) return null;
      if (finalRunStates.includes(run.state) || isOver()) {
        return { ...run, tasks: await this.#readTasks(id) };
      }
      await sleep(200);
    }
  }

  async listRuns(): Promise<readonly string[]> {
    const runs = await this.#readPages<{ id: string }>('/runs?limit=200', 'runs');
    return runs.map(({ id }) => id);
  }

  async deleteRun(id: string): Promise<void> {
    await this.#ask(`/runs/${id}`, 'DELETE');
  }

  #readTasks(id: string): Promise<readonly AnsweredTask[]> {
    return this.#readPages<AnsweredTask>(`/runs/${id}/tasks?limit=1000`, 'tasks');
  }

  async #readPages<Item>(path: string, field: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    let cursor = '';
    do {
      const page = await this.#ask<Record<string, unknown>>(`${path}${cursor}`);
      items.push(...((page?.[field] ?? []) as Item[]));
      const next = page?.['next'];
      cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
    } while (cursor !== '');
    return items;
  }

  /** Null for 404 and 409; waits a while for an API that has just been started again. */
  async #ask<Body>(path: string, method = 'GET'): Promise<Body | null> {
    for (let tries = 0; ; tries++) {
      try {
        const response = await fetch(`${this.#url}${path}`, {
          method,
          signal: AbortSignal.timeout(15_000),
        });
        const text = await response.text();
        if (response.status === 404 || response.status === 409) return null;
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
        return (text === '' ? {} : JSON.parse(text)) as Body;
      } catch (error: unknown) {
        if (tries >= 60) throw error;
        await sleep(500);
      }
    }
  }
}
