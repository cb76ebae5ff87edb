/** A run as the archive has it: what lists and searches show, without its tasks. */
export interface ArchivedRun {
  readonly id: string;
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly state: string;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly taskCount: number;
  readonly priority: number;
  readonly revision: number;
  /** The run's own record, field by field, as it was in Redis. */
  readonly record: Readonly<Record<string, string>>;
  /** JSON of the counts by class; null where these are too many. */
  readonly classes: string | null;
}

/** One copy of a run: another move of the same run is another copy. */
export interface CopyKey {
  readonly run: string;
  /** Random, below 2^48. */
  readonly copy: number;
}

/** A piece of a copy, numbered from 0 without gaps. What is in it only its writer knows. */
export interface ArchivePart {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Newest first by creation, then by id. */
export interface RunPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** A tag that a run must have: just this value, or one that begins so. */
export interface TagTerm {
  readonly key: string;
  readonly value: string;
  readonly isPrefix: boolean;
}

/** All that is given must hold. Times are inclusive. */
export interface ArchiveQuery {
  readonly tags?: readonly TagTerm[];
  /** The whole name. */
  readonly name?: string;
  /** A part of the name; ASCII letters are alike in both cases. */
  readonly text?: string;
  readonly state?: string;
  readonly since?: number;
  readonly until?: number;
  readonly endedSince?: number;
  readonly endedUntil?: number;
  /** Runs from this one on were listed before. */
  readonly after?: RunPosition;
  readonly limit: number;
}

/**
 * A page of a search. It may have fewer runs than were asked for, even none, while there is a `next`: a
 * search looks at a bounded number of runs at once. Without `next` there is nothing more.
 */
export interface ArchivePage {
  readonly runs: readonly ArchivedRun[];
  readonly next: RunPosition | null;
}

export interface TagValue {
  readonly value: string;
  readonly runs: number;
}

export interface PruneRequest {
  /** Runs that ended before go; null: however old they are. */
  readonly endedBefore: number | null;
  /** The oldest ends beyond so many runs go; null: however many there are. */
  readonly mostRuns: number | null;
  /** At most so many runs in one call. */
  readonly limit: number;
}

/**
 * Where runs are that ended some time ago. A run becomes visible, and an older copy of it goes, in the one
 * transaction of `seal`: before that its parts are nobody's. Every method may be called again with the
 * same arguments, and throws ArchiveUnavailableError where the archive can't be reached.
 */
export interface Archive extends AsyncDisposable {
  /** Keeps parts of a copy that is not sealed so far. */
  put(key: CopyKey, parts: readonly ArchivePart[], now: number): Promise<void>;
  /**
   * Keeps the last parts and makes the run visible, all at once. Where the archive has another copy with
   * the very same record, that one stays and this one is dropped: false. Throws where the copy does not
   * have `partCount` parts then: somebody dropped it meanwhile.
   */
  seal(key: CopyKey, sealing: Sealing): Promise<boolean>;
  /** Null where there is no such run. */
  read(id: string): Promise<ArchivedCopy | null>;
  /** Which of these runs are in the archive; at most 1000 ids. */
  known(ids: readonly string[]): Promise<readonly string[]>;
  /** What was measured of these runs, at most 100; those of which nothing is kept are left out. */
  readStatistics(ids: readonly string[]): Promise<readonly KeptStatistics[]>;
  /** Parts from a number on, about 1 MB of them; none behind the last, or where the copy is gone. */
  readParts(key: CopyKey, from: number): Promise<readonly ArchivePart[]>;
  /** False where there is no such run. */
  remove(id: string): Promise<boolean>;
  find(query: ArchiveQuery): Promise<ArchivePage>;
  /** Keys of tags with the number of runs that have them, by key. */
  listTagKeys(): Promise<readonly TagValue[]>;
  /** Values of a tag that begin so, by value. */
  listTagValues(request: TagValuesRequest): Promise<readonly TagValue[]>;
  /** Removes the runs that ended first, as far as the request says; returns how many. */
  prune(request: PruneRequest): Promise<number>;
  /** Drops copies that were never sealed, and of which no part came since a time; returns how many. */
  dropUnsealed(before: number): Promise<number>;
}

export interface Sealing {
  readonly run: ArchivedRun;
  /** What was measured of it, as its writer has it; null: nothing is kept. */
  readonly statistics: string | null;
  readonly parts: readonly ArchivePart[];
  readonly partCount: number;
  readonly now: number;
}

export interface KeptStatistics {
  readonly id: string;
  readonly statistics: string;
}

export interface ArchivedCopy {
  readonly run: ArchivedRun;
  readonly copy: number;
  readonly partCount: number;
}

export interface TagValuesRequest {
  readonly key: string;
  readonly prefix: string;
  readonly limit: number;
}

/** The archive can't be reached, or does not take what it is given: the same may be tried again later. */
export class ArchiveUnavailableError extends Error {
  override readonly name = 'ArchiveUnavailableError';
}
