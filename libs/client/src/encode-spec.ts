import type { SpecDocument } from './client.ts';
import { joinLines } from './join-lines.ts';

/** A spec as the body of a request. */
export function encodeSpec(spec: SpecDocument): {
  readonly body: string | ReadableStream<Uint8Array>;
  readonly contentType: string;
} {
  if ('text' in spec) return { body: spec.text, contentType: `application/${spec.format}` };
  if ('value' in spec) return { body: JSON.stringify(spec.value), contentType: 'application/json' };
  const body = ReadableStream.from(joinLines(spec.lines));
  return { body, contentType: 'application/x-ndjson' };
}
