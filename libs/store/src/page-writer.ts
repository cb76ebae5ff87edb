import { ConflictError, failpoint } from '@runnel/core';
import type { RunHandle } from './run-handle.ts';
import type { RunPart } from './run-parts.ts';
import { type Argument, callOf, type RedisClient, runPipeline } from './script.ts';
import { writePage } from './scripts.ts';

/** One SETRANGE: large enough to be quick, small enough that Redis answers others in between. */
const pageBytes = 262_144;
const pagesPerTrip = 8;
/** Fields of a hash go together up to here. */
const fieldBytes = 65_536;
/** Of a ready list an entry has up to 1 KB. */
const entriesPerPage = 128;

/** Lua's unpack takes some thousands of values. */
const textsPerPage = 1_000;

interface Page {
  readonly target: string;
  readonly args: readonly Argument[];
}

/** Gathers pages into pipelines; each page is refused once a janitor has removed the run. */
export class PageWriter {
  readonly #redis: RedisClient;
  readonly #run: RunHandle;
  readonly #token: string;
  #pages: Page[] = [];
  #bytes = 0;
  /** Of one hash. */
  #fields: { readonly key: RunPart['key']; readonly args: Argument[]; bytes: number } | null = null;

  constructor(redis: RedisClient, run: RunHandle, token: string) {
    this.#redis = redis;
    this.#run = run;
    this.#token = token;
  }

  async write({ key, field, bytes }: RunPart): Promise<void> {
    if (field !== null) return await this.#addField(key, field, bytes);
    if (bytes.length === 0) return;
    // The last byte first: a string that grows by SETRANGE takes up to twice its size.
    if (bytes.length > pageBytes)
      await this.#add(this.#run.names[key], ['s', bytes.length - 1, bytes.subarray(-1)], 1);
    for (let at = 0; at < bytes.length; at += pageBytes) {
      const page = bytes.subarray(at, at + pageBytes);
      await this.#add(this.#run.names[key], ['s', at, page], page.length);
    }
  }

  /** A page of a string whose size is known. */
  async writeBytes(
    target: string,
    page: { readonly offset: number; readonly total: number; readonly bytes: Buffer },
  ): Promise<void> {
    const { offset, total, bytes } = page;
    // As above; what follows writes the byte that is meant.
    if (offset === 0 && total > bytes.length) await this.#add(target, ['s', total - 1, '\0'], 1);
    await this.#add(target, ['s', offset, bytes], bytes.length);
  }

  /** Fields of a hash and their values, in turns. */
  async writeFields(target: string, texts: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < texts.length; at += textsPerPage) {
      const page = texts.slice(at, at + textsPerPage);
      const bytes = page.reduce((sum, { length }) => sum + length, 0);
      await this.#add(target, ['h', ...page], bytes);
    }
  }

  /** Entries of a list behind those that were written before. */
  async writeList(
    target: string,
    { offset, texts }: { readonly offset: number; readonly texts: readonly Buffer[] },
  ): Promise<void> {
    const bytes = texts.reduce((sum, { length }) => sum + length, 0);
    await this.#add(target, ['l', offset, ...texts], bytes);
  }

  /** An entry of a stream: its id, then fields and values. */
  async writeEntry(target: string, texts: readonly Buffer[]): Promise<void> {
    const bytes = texts.reduce((sum, { length }) => sum + length, 0);
    await this.#add(target, ['e', ...texts], bytes);
  }

  /** Resolves when everything is written. */
  async flush(): Promise<void> {
    await this.#closeFields();
    await this.#send();
  }

  /** A part of a string that is put together as it comes. */
  async writeAt(key: RunPart['key'], at: number, bytes: Buffer): Promise<void> {
    await this.#add(this.#run.names[key], ['s', at, bytes], bytes.length);
  }

  /** Entries of a list that was empty so far. */
  async append(target: string, entries: readonly Buffer[]): Promise<void> {
    for (let offset = 0; offset < entries.length; offset += entriesPerPage) {
      const texts = entries.slice(offset, offset + entriesPerPage);
      await this.writeList(target, { offset, texts });
    }
  }

  async #addField(key: RunPart['key'], field: number | string, bytes: Buffer): Promise<void> {
    if (this.#fields?.key !== key) await this.#closeFields();
    this.#fields ??= { key, args: ['h'], bytes: 0 };
    this.#fields.args.push(field, bytes);
    this.#fields.bytes += bytes.length;
    const { bytes: size, args } = this.#fields;
    if (size >= fieldBytes || args.length > textsPerPage) await this.#closeFields();
  }

  async #closeFields(): Promise<void> {
    const fields = this.#fields;
    this.#fields = null;
    if (fields !== null) await this.#add(this.#run.names[fields.key], fields.args, fields.bytes);
  }

  async #add(target: string, args: readonly Argument[], bytes: number): Promise<void> {
    this.#pages.push({ target, args });
    this.#bytes += bytes;
    if (this.#bytes >= pageBytes * pagesPerTrip) await this.#send();
  }

  async #send(): Promise<void> {
    const pages = this.#pages;
    this.#pages = [];
    this.#bytes = 0;
    if (pages.length === 0) return;
    const calls = pages.map(({ target, args }) =>
      callOf(writePage, { names: this.#run.names, more: [target] }, [
        this.#token,
        Date.now(),
        ...args,
      ]),
    );
    await failpoint('submit.before-page');
    const written = await runPipeline<number[]>(this.#redis, calls);
    if (written.some((answer) => answer !== 1)) throw removedMeanwhile(this.#run.id);
    await failpoint('submit.after-page');
  }
}

/** What the submitter is told where the janitor took the run for abandoned. */
export function removedMeanwhile(id: string): Error {
  return new ConflictError(
    `run ${id}: the submission took too long and was removed; submit it again`,
  );
}
