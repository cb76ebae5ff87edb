import { isUtf8 } from 'node:buffer';
import { isClosing, isOpening, OuterScan } from './outer-scan.ts';
import type { ByteRange } from './plain-reader.ts';

/** A longer task is read with the whole document. */
const maxTaskBytes = 1024 ** 2;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBracket = 0x5d;
const none = Buffer.alloc(0);

/** What the parts of a document go to. */
export interface TaskSink {
  /** The document without its tasks and what follows them; false: it is not to be cut. */
  head(text: string): boolean;
  /** The text of one task; it is used again for the next one. */
  task(range: ByteRange): void;
}

/** What stands around the tasks. */
export interface Outside {
  /** The document with an empty list in place of its tasks. */
  readonly text: string;
  /** True where all of it stood before the tasks. */
  readonly isHeadFirst: boolean;
}

/**
 * Cuts the bytes of a JSON document, as they come, into its tasks and what stands around them; holds
 * no more than one task. It gives up where the document has not the usual form, or is no JSON: who
 * reads it in full says what it is. What is cut out is not checked.
 */
export class TaskSplitter {
  readonly #sink: TaskSink;
  readonly #outer = new OuterScan();
  #phase: 'before' | 'tasks' | 'after' | 'given-up' = 'before';
  readonly #before: Buffer[] = [];
  readonly #after: Buffer[] = [];
  #keysBefore = 0;
  /** What has come since the last task that was taken. */
  #open: Buffer = none;
  #at = 0;
  /** Of the task that is not all there; -1: none has begun. */
  #start = -1;
  #depth = 0;
  #isText = false;
  /** What may come next: a task after the bracket or a comma, else a comma. */
  #expects: 'first' | 'task' | 'comma' = 'first';

  constructor(sink: TaskSink) {
    this.#sink = sink;
  }

  get isGivenUp(): boolean {
    return this.#phase === 'given-up';
  }

  /** What came before the tasks, their bracket included. */
  get before(): Buffer {
    return Buffer.concat(this.#before);
  }

  /** What came since the last task that was taken. */
  get rest(): Buffer {
    return Buffer.concat([this.#open, ...this.#after]);
  }

  /** What is taken from now on would be wrong. */
  giveUp(): void {
    this.#phase = 'given-up';
  }

  /** Takes the next bytes, cut anywhere, which are kept. Nothing, once it has given up. */
  write(chunk: Buffer): void {
    switch (this.#phase) {
      case 'before':
        this.#readBefore(chunk);
        break;
      case 'tasks':
        this.#open = this.#open.length === 0 ? chunk : Buffer.concat([this.#open, chunk]);
        this.#readTasks();
        break;
      case 'after':
        this.#readAfter(chunk);
        break;
      default:
        throw new Error('the document is not cut any more');
    }
  }

  /** Null where the document is not complete, or not of the usual form. */
  end(): Outside | null {
    if (this.#phase !== 'after') return null;
    const bytes = Buffer.concat([...this.#before, ...this.#after]);
    if (!isUtf8(bytes)) return null;
    return { text: bytes.toString(), isHeadFirst: this.#outer.keyCount === this.#keysBefore };
  }

  #readBefore(chunk: Buffer): void {
    const at = this.#outer.findTasks(chunk, 0);
    this.#before.push(at === -1 ? chunk : chunk.subarray(0, at));
    if (at !== -1) this.#open = chunk.subarray(at);
    if (this.#outer.isUnusual) this.giveUp();
    if (at === -1 || this.isGivenUp) return;
    this.#keysBefore = this.#outer.keyCount;
    this.#phase = 'tasks';
    const head = this.before;
    if (!isUtf8(head) || !this.#sink.head(`${head.toString()}]}`)) this.giveUp();
    else this.#readTasks();
  }

  #readTasks(): void {
    const bytes = this.#open;
    let taken = 0;
    while (this.#phase === 'tasks' && this.#at < bytes.length) {
      if (this.#start === -1 && !this.#readBetween(bytes)) continue;
      if (!this.#skipTask(bytes)) break;
      const start = this.#start;
      this.#start = -1;
      this.#expects = 'comma';
      taken = this.#at;
      this.#sink.task({ bytes, start, end: taken });
    }
    // The bytes that were taken end with a brace: no character is cut.
    if (!isUtf8(bytes.subarray(0, taken))) this.giveUp();
    this.#keepFrom(taken);
  }

  #keepFrom(taken: number): void {
    const rest = this.#open.subarray(taken);
    this.#open = rest;
    this.#at -= taken;
    if (this.#start !== -1) this.#start -= taken;
    if (this.#phase === 'after') {
      this.#open = none;
      // With the bracket: the list is closed behind nothing.
      this.#readAfter(rest.subarray(this.#at - 1));
    } else if (rest.length > maxTaskBytes) this.giveUp();
  }

  /** True at the beginning of a task. */
  #readBetween(bytes: Buffer): boolean {
    const code = bytes[this.#at] ?? 0;
    if (code === openBrace && this.#expects !== 'comma') {
      this.#start = this.#at;
      this.#depth = 0;
      return true;
    }
    this.#at++;
    if (code === comma && this.#expects === 'comma') this.#expects = 'task';
    else if (code === closeBracket && this.#expects !== 'task') this.#phase = 'after';
    else if (!isSpace(code)) this.giveUp();
    return false;
  }

  /** False where its end has not come yet. */
  #skipTask(bytes: Buffer): boolean {
    while (this.#at < bytes.length) {
      if (this.#isText) {
        if (!this.#skipText(bytes)) return false;
        continue;
      }
      const code = bytes[this.#at++];
      if (code === quote) this.#isText = true;
      else if (isOpening(code)) this.#depth++;
      else if (isClosing(code) && --this.#depth === 0) return true;
    }
    return false;
  }

  #skipText(bytes: Buffer): boolean {
    let at = this.#at;
    while (at < bytes.length) {
      const code = bytes[at++];
      if (code === quote) {
        this.#at = at;
        this.#isText = false;
        return true;
      }
      // What is escaped may come with the next bytes: they are passed by then, too.
      if (code === backslash) at++;
    }
    this.#at = at;
    return false;
  }

  #readAfter(chunk: Buffer): void {
    this.#outer.findTasks(chunk, 0);
    this.#after.push(chunk);
    if (this.#outer.isUnusual) this.giveUp();
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
