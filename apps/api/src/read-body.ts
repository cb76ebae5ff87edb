import { formatDuration, formatSize } from '@runnel/service';
import type { Request } from 'express';
import { RequestError } from './request-error.ts';

/** How much of a body is taken, and how long a sender may say nothing. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly silenceMs: number;
}

/** Reads a body as UTF-8, at most `maxBytes` of it; more is refused before it is in memory. */
export async function readBody(request: Request, limits: BodyLimits): Promise<string> {
  // Decoded as they come: the bytes of a large body are not kept beside its text.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const pieces: string[] = [];
  for await (const chunk of readChunks(request, limits)) pieces.push(decode(decoder, chunk));
  pieces.push(decode(decoder, null));
  return pieces.join('');
}

/** Null: that was all of it. */
function decode(decoder: TextDecoder, chunk: Uint8Array | null): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (error: unknown) {
    throw new RequestError(400, 'the body is not valid UTF-8', { cause: error });
  }
}

/**
 * Reads a body piece by piece, as fast as the pieces are taken: no more than one is held.
 *
 * @throws RequestError where it is too large (413), nothing came for too long (408), or it broke off.
 */
export async function* readChunks(
  request: Request,
  { maxBytes, silenceMs }: BodyLimits,
): AsyncGenerator<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new RequestError(415, `Content-Encoding ${encoding} is not supported: send it as it is`);
  }
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(`has ${announced} bytes`, maxBytes);
  // The connection stays: the answer goes out on it, also where the rest is not wanted.
  const chunks: AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false });
  let bytes = 0;
  try {
    for (;;) {
      const next = await waitForNext(chunks, silenceMs);
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > maxBytes) throw tooLarge(`has more than ${maxBytes} bytes`, maxBytes);
      yield next.value;
    }
  } finally {
    discardRest(request, chunks);
  }
}

async function waitForNext(
  chunks: AsyncIterator<Buffer>,
  silenceMs: number,
): Promise<IteratorResult<Buffer>> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSilent(silenceMs)), silenceMs);
  });
  const next = chunks.next().catch((error: unknown) => {
    throw new RequestError(400, 'the body ended early', { cause: error });
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
    // Where the silence was longer, nobody waits for it any more.
    next.catch(() => undefined);
  }
}

/** A client that is still sending would not read the answer otherwise. */
function discardRest(request: Request, chunks: AsyncIterator<Buffer>): void {
  if (request.complete && request.readableEnded) return;
  void Promise.resolve(chunks.return?.()).then(
    () => request.resume(),
    () => undefined,
  );
}

function tooSilent(silenceMs: number): RequestError {
  return new RequestError(
    408,
    `nothing of the body came for ${formatDuration(silenceMs)}: nothing was stored; send it again`,
    { headers: { Connection: 'close' } },
  );
}

function tooLarge(what: string, maxBytes: number): RequestError {
  return new RequestError(
    413,
    `the body ${what}; at most ${maxBytes} (${formatSize(maxBytes)}) are accepted (RUNNEL_MAX_BODY)`,
  );
}

const formats = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/x-yaml': 'yaml',
  'text/yaml': 'yaml',
  'application/x-ndjson': 'ndjson',
} as const;
export type BodyFormat = (typeof formats)[keyof typeof formats];

/** The format that Content-Type names; any other is refused, and so is a charset but UTF-8. */
export function bodyFormat(request: Request): BodyFormat {
  const header = request.headers['content-type'] ?? '';
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const format = Object.entries(formats).find(([known]) => known === type)?.[1];
  if (format === undefined) {
    const given =
      header === '' ? 'the Content-Type is missing' : `Content-Type ${header} is not supported`;
    throw new RequestError(
      415,
      `${given}: send application/json, application/yaml or application/x-ndjson`,
    );
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new RequestError(415, `${charset} is not supported: send UTF-8`);
  }
  return format;
}
