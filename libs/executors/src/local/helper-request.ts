import type { ProcessRequest } from './process-starter.ts';

/** A request as command-helper.py reads it; null where a text has a NUL, at which the system would cut it off. */
export function encodeRequest(request: ProcessRequest): string | null {
  const { argv, cwd, environment, stdin } = request;
  const head = [cwd];
  const words = [...argv];
  for (const name in environment) words.push(`${name}=${environment[name]}`);
  head.push(String(argv.length), String(words.length - argv.length), stdin === null ? '0' : '1');

  const fields = `${head.join('\0')}\0${words.join('\0')}\0`;
  if (countNuls(fields) !== head.length + words.length) return null;
  const body = fields + (stdin ?? '');
  return String(Buffer.byteLength(body)).padStart(10, '0') + body;
}

function countNuls(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) count++;
  return count;
}
