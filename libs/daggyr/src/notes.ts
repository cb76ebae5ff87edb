import { type Issue, SpecError } from '@runnel/core';

export type Path = Issue['path'];

/** More than anybody reads; a document with one mistake in every task has millions. */
const mostNotes = 100;

/** What is found in a document on the way: mistakes, and what is accepted but not meant so. */
export class Notes {
  readonly #issues: Issue[] = [];
  readonly #warnings: Issue[] = [];
  #issueCount = 0;
  #warningCount = 0;

  refuse(path: Path, message: string): void {
    this.#issueCount++;
    if (this.#issues.length < mostNotes) this.#issues.push({ path, message });
  }

  warn(path: Path, message: string): void {
    this.#warningCount++;
    if (this.#warnings.length < mostNotes) this.#warnings.push({ path, message });
  }

  get issues(): readonly Issue[] {
    return withRest(this.#issues, this.#issueCount);
  }

  get warnings(): readonly Issue[] {
    return withRest(this.#warnings, this.#warningCount);
  }

  /** @throws SpecError with every mistake. */
  throwIfAny(): void {
    if (this.#issueCount > 0) throw new SpecError(this.issues);
  }
}

function withRest(notes: readonly Issue[], count: number): readonly Issue[] {
  const more = count - notes.length;
  return more > 0 ? [...notes, { path: [], message: `and ${more} more` }] : notes;
}
