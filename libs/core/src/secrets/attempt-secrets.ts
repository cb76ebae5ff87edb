import type { LogWriter } from '../executor.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { AttemptResult } from '../outcome.ts';
import type { PatternFinder } from './pattern-finder.ts';
import type { SecretSource } from './secret-source.ts';
import { finderOf, redacted, redactText, StreamRedactor } from './stream-redactor.ts';

/**
 * The secrets of one attempt, and the one place where they are kept out of what is stored and shown: the log that its
 * executor writes to, and its result. A value is known here before anybody else gets it, so nothing that was written
 * with its help is missed. An attempt that asks for no secret pays one comparison for each chunk.
 */
export class AttemptSecrets implements LogWriter, SecretSource {
  readonly #source: SecretSource;
  readonly #log: LogWriter;
  #redaction: Redaction | null = null;

  /** @param log takes what was written, without secrets. */
  constructor(source: SecretSource, log: LogWriter) {
    this.#source = source;
    this.#log = log;
  }

  async read(name: string): Promise<string> {
    const value = await this.#source.read(name);
    this.#redaction ??= new Redaction();
    this.#redaction.add(value);
    return value;
  }

  write(chunk: string | Uint8Array, source = 0): boolean {
    const finder = this.#redaction?.finder ?? null;
    if (this.#redaction === null || finder === null) return this.#log.write(chunk);
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    return this.#pass(this.#redaction.streamOf(source, finder).push(bytes));
  }

  drained(): Promise<void> {
    return this.#log.drained();
  }

  /** The attempt is over: what is held back belongs to no secret. */
  endLog(): void {
    for (const stream of this.#redaction?.streams() ?? []) this.#pass(stream.end());
  }

  /** A result without secrets. Where the output had one the log says so. */
  redact(result: AttemptResult): AttemptResult {
    const finder = this.#redaction?.finder ?? null;
    if (finder === null || result.outcome === 'cancelled') return result;
    if (result.outcome === 'failed') {
      return { ...result, message: redactText(finder, result.message) };
    }
    if (result.tasks !== undefined && redactText(finder, result.tasks) !== result.tasks) {
      const message = 'the generated tasks hold a secret: write { secret: NAME } in its place';
      return { outcome: 'failed', reason: 'output-invalid', message };
    }
    if (result.output === undefined) return result;
    const output = redactObject(finder, result.output);
    if (JSON.stringify(output) === JSON.stringify(result.output)) return result;
    this.write(`runnel: the output held a secret; ${redacted} stands in its place\n`);
    return { ...result, output };
  }

  #pass(bytes: Buffer): boolean {
    return bytes.length === 0 || this.#log.write(bytes);
  }
}

/** What an attempt that asked for a secret needs. */
class Redaction {
  /** Null while no value is long enough to be looked for. */
  finder: PatternFinder | null = null;
  readonly #values = new Set<string>();
  /** By the source of what is written. */
  readonly #streams = new Map<number, StreamRedactor>();

  add(value: string): void {
    if (this.#values.has(value)) return;
    this.#values.add(value);
    this.finder = finderOf(this.#values);
    for (const stream of this.#streams.values()) if (this.finder !== null) stream.use(this.finder);
  }

  streams(): Iterable<StreamRedactor> {
    return this.#streams.values();
  }

  streamOf(source: number, finder: PatternFinder): StreamRedactor {
    const known = this.#streams.get(source);
    if (known !== undefined) return known;
    const stream = new StreamRedactor(finder);
    this.#streams.set(source, stream);
    return stream;
  }
}

function redactObject(finder: PatternFinder, object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      redactText(finder, key),
      redactJson(finder, value),
    ]),
  );
}

/** Outputs are checked for their depth before: recursion is safe. */
function redactJson(finder: PatternFinder, value: Json): Json {
  if (isJsonObject(value)) return redactObject(finder, value);
  if (typeof value === 'string') return redactText(finder, value);
  if (typeof value === 'number') return redactNumber(finder, value);
  return Array.isArray(value) ? value.map((item: Json) => redactJson(finder, item)) : value;
}

/** A secret of digits that is handed on as a number. */
function redactNumber(finder: PatternFinder, value: number): Json {
  const text = String(value);
  const shown = redactText(finder, text);
  return shown === text ? value : shown;
}
