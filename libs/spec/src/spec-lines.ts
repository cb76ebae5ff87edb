import { finishInTurns, type Issue, isJsonObject, SpecError, type Steps } from '@runnel/core';
import type { ExpandOptions, Expansion } from './expand.ts';
import { MostlyPlaces } from './growing-ints.ts';
import { findUnsafeValue } from './guard.ts';
import { IssueList, maxIssues, type Path, type Place } from './issue-list.ts';
import { issueOfSyntaxError } from './json-scan.ts';
import { LineSplitter } from './line-splitter.ts';
import { PieceParser } from './piece-parser.ts';
import type { ByteRange } from './plain-reader.ts';
import { readHead } from './read-head.ts';
import { expandingFields, type RunHead } from './schema.ts';
import type { SinglePlan } from './single-plan.ts';
import { SingleReading } from './single-reading.ts';
import { TaskTexts } from './task-texts.ts';

const noExpanding =
  'a spec that comes line by line has no parameters: each line is one task; send the spec as JSON to use them';

/**
 * A spec that comes line by line (NDJSON) and is never held: the first line is the spec without its
 * tasks, each further line is one task. Tasks may come in any order.
 *
 * @example
 * const spec = new SpecLines(options);
 * for await (const chunk of body) await spec.write(chunk);
 * const { plan } = await spec.end();
 */
export class SpecLines {
  readonly #options: ExpandOptions;
  readonly #issues = new IssueList();
  readonly #splitter: LineSplitter;
  readonly #parser = new PieceParser();
  readonly #texts = new TaskTexts();
  /** The line of each task, by its place among the tasks. */
  readonly #lines = new MostlyPlaces(2);
  #head: RunHead | undefined;
  #headText = '';
  #reading: SingleReading | undefined;
  #isUnreadable = false;
  #isDecided = false;

  constructor(options: ExpandOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter({
      line: (range, line) => this.#takeLine(range, line),
      bad: (message, line) => this.#takeBad(message, line),
    });
  }

  /** True where what is still to come changes nothing: the spec is refused. */
  get isDecided(): boolean {
    return this.#isDecided || this.#reading?.isDecided === true;
  }

  /** The first line; null until it has come. */
  get head(): Omit<RunHead, 'tasks'> | null {
    return this.#head ?? null;
  }

  /** The text of the first line. */
  get headText(): string {
    return this.#headText;
  }

  /** Takes the next bytes, cut anywhere. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.isDecided) return;
    this.#splitter.write(chunk);
    await this.#texts.drain();
  }

  /**
   * Connects the tasks, once all have come.
   *
   * @throws SpecError with every issue, by line.
   */
  async end(): Promise<Expansion> {
    if (!this.isDecided) this.#splitter.end();
    const texts = await this.#texts.end();
    const plan = await finishInTurns(this.#plan());
    if (plan === null || this.#issues.count > 0) throw this.#toError();
    return { plan: { ...plan, texts }, warnings: [] };
  }

  *#plan(): Steps<SinglePlan | null> {
    if (this.#head === undefined && this.#issues.count === 0) this.#issues.add([], noHead);
    if (this.isDecided || this.#reading === undefined) return null;
    if (this.#lines.length > 0) return yield* this.#reading.plan();
    const message = 'there are no tasks: name at least one, each on a line of its own';
    this.#issues.add(['tasks'], message);
    return null;
  }

  #toError(): SpecError {
    const issues = this.#issues.toArray((path) => this.#locate(path));
    const rank = ({ line }: Issue): number => line ?? Number.MAX_SAFE_INTEGER;
    issues.sort((a, b) => rank(a) - rank(b));
    return new SpecError(issues, this.#isUnreadable ? 'SPEC_UNREADABLE' : 'SPEC_INVALID');
  }

  #locate(path: Path): Place | undefined {
    const [field, key] = path;
    if (field === 'tasks') {
      return typeof key === 'number' ? { line: this.#lines.at(key) } : undefined;
    }
    return path.length === 0 ? undefined : { line: 1 };
  }

  #takeLine(range: ByteRange, line: number): void {
    if (this.isDecided) return;
    if (line === 1) {
      this.#headText = textOf(range).replace(/^\ufeff/, '');
      this.#takeHead(this.#parse(this.#headText, line));
    } else if (!isBlank(range)) this.#takeTask(range, line);
    if (this.#issues.count >= maxIssues) this.#isDecided = true;
  }

  /** Undefined where it is no JSON, which is noted. */
  #parse(text: string, line: number): unknown {
    try {
      return this.#parser.parse(text);
    } catch (error: unknown) {
      const found = error instanceof SpecError ? error.issues[0] : issueOfSyntaxError(text, error);
      const base = line === 1 ? [] : ['tasks', this.#lines.length - 1];
      const { path = [], message = 'not valid JSON', column = 1 } = found ?? {};
      this.#addUnreadable({ path: [...base, ...path], message, line, column });
      return undefined;
    }
  }

  #addUnreadable({ path, message, line, column }: Issue & { readonly line: number }): void {
    this.#isUnreadable = true;
    this.#issues.add(path, message, { line, ...(column === undefined ? {} : { column }) });
    // A line that is too long is not read to its end, and without a head nothing can be checked.
    if (line === 1 || message.startsWith('the line has more')) this.#isDecided = true;
  }

  #takeBad(message: string, line: number): void {
    const path = line === 1 ? [] : ['tasks', this.#lines.length];
    if (line > 1) this.#lines.push(line);
    this.#addUnreadable({ path, message, line });
  }

  #takeHead(value: unknown): void {
    if (value === undefined) return;
    const unsafe = findUnsafeValue(value);
    if (unsafe !== undefined) {
      this.#addUnreadable({ ...unsafe, line: 1 });
      return;
    }
    if (isJsonObject(value) && Object.hasOwn(value, 'class')) {
      this.#issues.add(['class'], noHead);
      this.#isDecided = true;
      return;
    }
    const { head } = readHead(value, this.#issues);
    if (head === undefined) {
      this.#isDecided = true;
      return;
    }
    this.#checkHead(head);
    this.#head = head;
    this.#reading = new SingleReading({
      ...{ head, options: this.#options, issues: this.#issues, parser: this.#parser },
      onExpanding: (path) => this.#issues.add(path, noExpanding),
    });
  }

  #checkHead(head: RunHead): void {
    for (const field of expandingFields) {
      if (head[field] !== undefined) this.#issues.add([field], noExpanding);
    }
    if (head.tasks === undefined) return;
    this.#issues.add(
      ['tasks'],
      'in a spec that comes line by line each task has a line of its own',
      {
        line: 1,
      },
    );
  }

  #takeTask(range: ByteRange, line: number): void {
    const key = this.#lines.length;
    this.#lines.push(line);
    this.#texts.add(range);
    this.#reading?.take(key, range, () => this.#parse(textOf(range), line));
  }
}

function textOf({ bytes, start, end }: ByteRange): string {
  return bytes.toString('utf8', start, end);
}

const openBrace = 0x7b;

function isBlank(range: ByteRange): boolean {
  // Nearly every line begins with a brace.
  return range.bytes[range.start] !== openBrace && textOf(range).trim() === '';
}

const noHead =
  'the first line is the head of the spec (name, tags, defaults, …), {} if there is nothing to say; tasks begin on the second line';
