import { PatternFinder } from './pattern-finder.ts';
import { formsOf } from './secret-forms.ts';

/** What stands where a secret stood. */
export const redacted = '***';

const mark = Buffer.from(redacted);

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
  const bytes = Buffer.from(text);
  const parts = [...stream.push(bytes), ...stream.end()];
  return parts.length === 1 && parts[0] === bytes ? text : Buffer.concat(parts).toString();
}

/**
 * Replaces secrets in what comes chunk by chunk, also where one is spread over chunks. It holds back only bytes that
 * are the beginning of a secret so far: less than the longest one, and nothing of ordinary text.
 */
export class StreamRedactor {
  #finder: PatternFinder;
  #held: Buffer = Buffer.alloc(0);
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
  push(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    return this.#cut(bytes, false);
  }

  /** What was held back. More may come after it, as after a beginning. */
  end(): readonly Buffer[] {
    return this.#cut(this.#held, true);
  }

  #cut(bytes: Buffer, isLast: boolean): readonly Buffer[] {
    const { spans, decided } = this.#finder.find(bytes, isLast);
    const parts: Buffer[] = [];
    let at = this.#covered;
    for (const { start, end } of spans) {
      // One that begins inside the last has its mark already.
      if (start >= at) {
        if (start > at) parts.push(bytes.subarray(at, start));
        parts.push(mark);
      }
      at = Math.max(at, end);
    }
    if (at < decided)
      parts.push(at === 0 && decided === bytes.length ? bytes : bytes.subarray(at, decided));
    this.#covered = Math.max(0, at - decided);
    // A copy: a few bytes must not keep a whole chunk in memory.
    this.#held = Buffer.from(bytes.subarray(decided));
    return parts;
  }
}
