import { formatSize } from '@runnel/service';
import type { Request } from 'express';
import { RequestError } from './request-error.ts';

/** Reads a body as UTF-8, at most `maxBytes` of it; more is refused before it is in memory. */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new RequestError(415, `Content-Encoding ${encoding} is not supported: send it as it is`);
  }
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(`has ${announced} bytes`, maxBytes);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Not `for await`: leaving that early would break the connection before the answer is out.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        chunks.length = 0;
        reject(tooLarge(`has more than ${maxBytes} bytes`, maxBytes));
      } else chunks.push(chunk);
    });
    request.on('end', resolve);
    request.on('error', reject);
    request.on('close', () => reject(new RequestError(400, 'the body ended early')));
  });
  return decodeUtf8(Buffer.concat(chunks));
}

function tooLarge(what: string, maxBytes: number): RequestError {
  return new RequestError(
    413,
    `the body ${what}; at most ${maxBytes} (${formatSize(maxBytes)}) are accepted (RUNNEL_MAX_BODY)`,
  );
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error: unknown) {
    throw new RequestError(400, 'the body is not valid UTF-8', { cause: error });
  }
}

const formats = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/x-yaml': 'yaml',
  'text/yaml': 'yaml',
} as const;

/** The format that Content-Type names; any other is refused, and so is a charset but UTF-8. */
export function bodyFormat(request: Request): 'json' | 'yaml' {
  const header = request.headers['content-type'] ?? '';
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const format = Object.entries(formats).find(([known]) => known === type)?.[1];
  if (format === undefined) {
    const given =
      header === '' ? 'the Content-Type is missing' : `Content-Type ${header} is not supported`;
    throw new RequestError(415, `${given}: send application/json or application/yaml`);
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new RequestError(415, `${charset} is not supported: send UTF-8`);
  }
  return format;
}
