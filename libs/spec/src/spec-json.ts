import { betweenTexts, finishInTurns, isJsonObject, SpecError } from '@runnel/core';
import { type ParsedDocument, parseDocument } from './document.ts';
import type { ExpandOptions, Expansion } from './expand.ts';
import { findUnsafeValue } from './guard.ts';
import { IssueList } from './issue-list.ts';
import { issueOfSyntaxError } from './json-scan.ts';
import { PieceParser } from './piece-parser.ts';
import type { ByteRange } from './plain-reader.ts';
import { readHead } from './read-head.ts';
import { expandingFields, type RunHead } from './schema.ts';
import { SingleReading } from './single-reading.ts';
import { type Outside, TaskSplitter } from './task-splitter.ts';
import { inflateTexts, TaskTexts } from './task-texts.ts';

/** What became of a document: its tasks were read one by one; or it has to be expanded as a whole. */
export type SpecOfJson =
  | {
      readonly kind: 'tasks';
      readonly expansion: Expansion;
      readonly head: RunHead;
      readonly headText: string;
    }
  | { readonly kind: 'document'; readonly document: ParsedDocument };

/** How large documents are read. */
export interface JsonSizes {
  /** From here on tasks are read one by one, where they can be: reading all at once would hold up others. */
  readonly largeBytes: number;
  /** Up to here the text is held, too: read as a whole, it can tell lines and columns. */
  readonly heldBytes: number;
}

const usualSizes: JsonSizes = { largeBytes: 100_000, heldBytes: 2_000_000 };

/**
 * A spec that comes as JSON. A large one is not held: of its tasks there are numbers, and their texts
 * deflated. That can't be done where it has parameters, or its tasks are no list.
 *
 * @example
 * const spec = new SpecJson(options);
 * for await (const chunk of body) await spec.write(chunk);
 * const found = await spec.end();
 */
export class SpecJson {
  readonly #options: ExpandOptions;
  readonly #sizes: JsonSizes;
  readonly #texts = new TaskTexts();
  readonly #parser = new PieceParser();
  readonly #splitter: TaskSplitter;
  #isSplitting = false;
  #bytes = 0;
  /** All that came; null where that is too much. */
  #held: Buffer[] | null = [];
  /** What came after the splitter had given up, where the rest is not held. */
  readonly #tail: Buffer[] = [];
  #issues = new IssueList();
  #reading: SingleReading | null = null;
  #count = 0;
  /** A task has parameters, or can't be parsed and all is held. */
  #isUnusual = false;
  /** A task can't be parsed. */
  #isUnreadable = false;

  constructor(options: ExpandOptions, sizes = usualSizes) {
    this.#options = options;
    this.#sizes = sizes;
    this.#splitter = new TaskSplitter({
      head: (text) => this.#begin(text),
      task: (range) => this.#take(range),
    });
  }

  /** True where what is still to come changes nothing: it is too large. */
  get isDecided(): boolean {
    return this.#held === null && this.#reading?.isOverLimit === true;
  }

  /** Takes the next bytes, cut anywhere, which are kept. */
  async write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    this.#held?.push(chunk);
    if (this.#bytes <= this.#sizes.largeBytes) return;
    if (this.#isSplitting) this.#split(chunk);
    else for (const held of this.#held ?? []) this.#split(held);
    this.#isSplitting = true;
    if (this.#bytes > this.#sizes.heldBytes && !this.#splitter.isGivenUp) this.#held = null;
    await this.#texts.drain();
  }

  #split(chunk: Buffer): void {
    if (!this.#splitter.isGivenUp) this.#splitter.write(chunk);
    else if (this.#held === null) this.#tail.push(chunk);
  }

  /**
   * Connects the tasks, once all have come.
   *
   * @throws SpecError with every issue, or where it is no JSON.
   */
  async end(): Promise<SpecOfJson> {
    if (this.isDecided) throw this.#toError();
    const outside = this.#isSplitting ? this.#splitter.end() : null;
    const texts = await this.#texts.end();
    const head = outside === null || this.#count === 0 ? null : this.#readHead(outside.text);
    if (outside === null || head === null) return await this.#readWhole(texts);
    if (!outside.isHeadFirst) await this.#readAgain(head, texts);
    const reading = this.#reading;
    if (this.#isUnusual || reading === null) return await this.#readWhole(texts);
    const plan = reading.isDecided ? null : await finishInTurns(reading.plan());
    if (plan !== null && this.#issues.count === 0) {
      const expansion = { plan: { ...plan, texts }, warnings: [] };
      return { kind: 'tasks', expansion, head, headText: textWithoutTasks(outside) };
    }
    if (this.#held !== null) return await this.#readWhole(texts);
    throw this.#toError();
  }

  #toError(): SpecError {
    const code = this.#isUnreadable ? 'SPEC_UNREADABLE' : 'SPEC_INVALID';
    return new SpecError(this.#issues.toArray(), code);
  }

  #begin(text: string): boolean {
    const head = this.#readHead(text);
    if (head === null) return false;
    this.#reading = this.#startReading(head);
    return true;
  }

  /** Null where it has parameters, or is no head at all. */
  #readHead(text: string): RunHead | null {
    const value = this.#parse(text);
    if (value === undefined || findUnsafeValue(value) !== undefined) return null;
    const { head } = readHead(value, new IssueList());
    const isExpanding = head === undefined || expandingFields.some((field) => head[field]);
    return head === undefined || isExpanding ? null : head;
  }

  #startReading(head: RunHead): SingleReading {
    return new SingleReading({
      ...{ head, options: this.#options, issues: this.#issues, parser: this.#parser },
      onExpanding: () => {
        this.#isUnusual = true;
      },
    });
  }

  #parse(text: string): unknown {
    try {
      return this.#parser.parse(text);
    } catch {
      return undefined;
    }
  }

  #take(range: ByteRange): void {
    this.#texts.add(range);
    this.#read(this.#count++, range);
    if (this.#isUnusual) this.#splitter.giveUp();
  }

  #read(key: number, range: ByteRange): void {
    if (this.#reading === null || this.#reading.isDecided) return;
    this.#reading.take(key, range, () => {
      const text = range.bytes.toString('utf8', range.start, range.end);
      try {
        return this.#parser.parse(text);
      } catch (error: unknown) {
        this.#noteUnreadable(key, text, error);
        return undefined;
      }
    });
  }

  #noteUnreadable(key: number, text: string, error: unknown): void {
    this.#isUnreadable = true;
    // Who reads all of it tells the place.
    if (this.#held !== null) this.#isUnusual = true;
    const found = error instanceof SpecError ? error.issues[0] : issueOfSyntaxError(text, error);
    const { path = [], message = 'not valid JSON' } = found ?? {};
    this.#issues.add(['tasks', key, ...path], message);
  }

  /** Where something of the head stands behind the tasks, what was made of them may be wrong. */
  async #readAgain(head: RunHead, texts: readonly Buffer[]): Promise<void> {
    this.#issues = new IssueList();
    this.#isUnreadable = false;
    this.#reading = this.#startReading(head);
    let key = 0;
    const splitter = new TaskSplitter({
      head: () => true,
      task: (range) => this.#read(key++, range),
    });
    splitter.write(Buffer.from('{"tasks":['));
    for (const [index, chunk] of texts.entries()) {
      if (index > 0) splitter.write(Buffer.from(betweenTexts));
      splitter.write(await inflateTexts(chunk));
    }
  }

  async #readWhole(texts: readonly Buffer[]): Promise<SpecOfJson> {
    if (this.#held !== null) {
      const document = parseDocument(decode(Buffer.concat(this.#held)), 'json');
      return { kind: 'document', document };
    }
    const parts = [this.#splitter.before];
    for (const [index, chunk] of texts.entries()) {
      if (index > 0) parts.push(Buffer.from(betweenTexts));
      parts.push(await inflateTexts(chunk));
    }
    parts.push(this.#splitter.rest, ...this.#tail);
    return { kind: 'document', document: parseWithoutPlaces(decode(Buffer.concat(parts))) };
  }
}

function textWithoutTasks({ text }: Outside): string {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error('the head of a spec is no object');
  const { tasks: _, ...head } = value;
  return JSON.stringify(head);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error: unknown) {
    const issue = { path: [], message: 'the body is not valid UTF-8' };
    throw new SpecError([issue], 'SPEC_UNREADABLE', { cause: error });
  }
}

/** Between its tasks the text is not what came, so no line of it means anything. */
function parseWithoutPlaces(text: string): ParsedDocument {
  try {
    return { value: parseDocument(text, 'json').value, locate: () => undefined };
  } catch (error: unknown) {
    if (!(error instanceof SpecError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path, message }));
    throw new SpecError(issues, error.code, { cause: error });
  }
}
