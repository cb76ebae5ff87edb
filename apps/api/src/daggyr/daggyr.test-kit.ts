import type { TestApi } from '../api.test-kit.ts';

/** What a client of DaggyR gets. */
export interface DaggyrAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the adapter as a client of DaggyR does. */
export async function ask(
  api: Pick<TestApi, 'at'>,
  path: string,
  init: RequestInit = {},
): Promise<DaggyrAnswer> {
  const response = await fetch(api.at(`/daggyr${path}`), init);
  const text = await response.text();
  return { status: response.status, body: text === '' ? '' : JSON.parse(text) };
}

export function submit(api: Pick<TestApi, 'at'>, document: unknown): Promise<DaggyrAnswer> {
  return ask(api, '/api/v1/runs', {
    method: 'POST',
    body: typeof document === 'string' ? document : JSON.stringify(document),
    headers: { 'Content-Type': 'application/json' },
  });
}

/** A task that only echoes. */
export function echo(...words: readonly string[]) {
  return { details: { command: ['echo', ...words] } };
}
