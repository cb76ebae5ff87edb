/** An answer of the API, whatever its status; null where none came. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const withinMs = 20_000;

/** Asks the API once; an API that is away is no error here. */
export async function ask(
  url: string,
  request: {
    readonly method?: string;
    readonly key?: string;
    readonly json?: unknown;
  } = {},
): Promise<Answer | null> {
  try {
    const response = await fetch(url, {
      method: request.method ?? 'GET',
      signal: AbortSignal.timeout(withinMs),
      headers: {
        'Content-Type': 'application/json',
        ...(request.key === undefined ? {} : { 'Idempotency-Key': request.key }),
      },
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
    });
    const text = await response.text();
    return { status: response.status, body: toObject(text) };
  } catch {
    return null;
  }
}

function toObject(text: string): Readonly<Record<string, unknown>> {
  const body: unknown = text === '' ? {} : JSON.parse(text);
  return typeof body === 'object' && body !== null ? { ...body } : {};
}
