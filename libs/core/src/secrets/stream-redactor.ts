import { PatternFinder, type Span } from './pattern-finder.ts';
import { formsOf } from './secret-forms.ts';

/** What stands where a secret stood. */
export const redacted = '***';

const mark = Buffer.from(redacted);
const nothing = Buffer.alloc(0);

/** What is looked for: all forms of the values of an attempt. Null where there is nothing to look for. */
export function finderOf(values: Iterable<string>): PatternFinder | null {
  const patterns = new Map<string, Buffer>();
  for (const value of values) {
    for (const form of formsOf(value)) patterns.set(form.toString('latin1'), form);
  }
  return patterns.size === 0 ? null : new PatternFinder([...patterns.values()]);
}

/** Replaces secrets in a text that is there as a whole. */
export function redactText(finder: PatternFinder, text: string): string {
  const stream = new StreamRedactor(finder);
  return Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString();
}

/**
 * Replaces secrets in what comes chunk by chunk, also where one is spread over chunks. It holds back only bytes that
 * are the beginning of a secret so far: less than the longest one, and nothing of ordinary text.
 */
export class StreamRedactor {
  #finder: PatternFinder;
  #held = nothing;
  /** So many of the held bytes belong to a secret for which a mark stands already. */
  #covered = 0;

  constructor(finder: PatternFinder) {
    this.#finder = finder;
  }

  /** Looks for more from now on: in what is held back, and in what comes. */
  use(finder: PatternFinder): void {
    this.#finder = finder;
  }

  /** What can be passed on. A chunk without secrets comes back as itself. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    return this.#cut(bytes, false);
  }

  /** What was held back. More may come after it, as after a beginning. */
  end(): Buffer {
    return this.#cut(this.#held, true);
  }

  #cut(bytes: Buffer, isLast: boolean): Buffer {
    const { spans, decided } = this.#finder.find(bytes, isLast);
    const covered = this.#covered;
    const coveredTo = Math.max(covered, spans.at(-1)?.end ?? 0);
    this.#covered = Math.max(0, coveredTo - decided);
    // A copy: a few bytes must not keep a whole chunk in memory.
    this.#held = decided === bytes.length ? nothing : Buffer.from(bytes.subarray(decided));
    if (spans.length > 0) return replace(bytes.subarray(0, decided), spans, covered);
    return covered === 0 && decided === bytes.length ? bytes : bytes.subarray(covered, decided);
  }
}

/** Below this a loop is quicker than a call of the platform. */
const shortBytes = 64;

function copy(from: Buffer, to: Buffer, range: Span & { readonly at: number }): number {
  const { at, start, end } = range;
  if (end - start > shortBytes) return at + from.copy(to, at, start, end);
  for (let index = start; index < end; index++) to[at + index - start] = from[index] ?? 0;
  return at + end - start;
}

/** The bytes with marks in place of the spans. The first `covered` of them have their mark already. */
function replace(bytes: Buffer, spans: readonly Span[], covered: number): Buffer {
  const replaced = Buffer.allocUnsafe(bytes.length + spans.length * mark.length);
  let at = covered;
  let length = 0;
  for (const { start, end } of spans) {
    // One that begins inside the last has its mark already.
    if (start >= at) {
      length = copy(bytes, replaced, { at: length, start: at, end: start });
      for (const byte of mark) replaced[length++] = byte;
    }
    at = Math.max(at, end);
  }
  if (at < bytes.length) length += bytes.copy(replaced, length, at);
  return replaced.subarray(0, length);
}
