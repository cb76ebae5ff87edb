import { beginEdit, pageEdit, swapRevision } from '../edit-scripts.ts';
import { keptSpecs, readyKey, revisionKey } from '../keys.ts';
import type { RunFacts } from '../run-facts.ts';
import type { OpenRunHandle } from '../run-handle.ts';
import type { runKeyDocs } from '../run-keys.ts';
import type { Argument, RedisClient } from '../script.ts';

/**
 * An edit gives a run another spec. Tasks that both have keep their numbers, so that all that is kept by
 * number (outputs, attempts, logs, times) stays where it is.
 *
 * 1. What the new revision is made of is written beside the run, while it goes on.
 * 2. `begin-edit` freezes it: nothing starts, and outcomes are kept in `stash`.
 * 3. What tasks have come to is read, what follows from it is written beside the run.
 * 4. `swap-revision` puts everything in place at once.
 * 5. `page-edit` sets back attempts and outputs of what runs again, in pages; with the last the run goes on,
 *    and its next turns settle the stash.
 *
 * An editor that dies before 4 leaves the run as it was: whoever looks after it thaws it, and what was written
 * beside it goes as a submission that broke off. One that dies after it has edited: the rest is done by the same.
 */

/** An editor that gave no sign for so long is gone. */
export const editorGoneMs = 10_000;

/** What an edit knows of the run that it was computed for. */
export interface EditToken {
  readonly token: string;
  readonly facts: RunFacts;
}

/**
 * Freezes a run, or says that its editor is alive. `changed`: it is not what was read any more; `grown`: tasks joined it
 * since. Null: it is gone.
 */
export function freezeRun(
  redis: RedisClient,
  { token, facts }: EditToken,
  now: number,
): Promise<string | null> {
  const { handle, createdAt, revision, shape } = facts;
  const args = [token, createdAt, revision, shape, now, editorGoneMs];
  return beginEdit.run(redis, handle.keys, args);
}

/** Attempts that one page sets back: a few ms of Redis. */
const resetsPerPage = 512;

/**
 * The next step of what is left of an edit. `frozen`: its editor is alive; `none`: there is none. With the
 * token of an edit that was not swapped, that one is given up.
 */
export function goOnWithEdit(
  redis: RedisClient,
  run: OpenRunHandle,
  { token = '', now }: { readonly token?: string; readonly now: number },
): Promise<string | null> {
  return pageEdit.run(redis, run.keys, [now, editorGoneMs, token, resetsPerPage]);
}

/** What is swapped for what. */
export interface Swap extends EditToken {
  readonly now: number;
  /** What was written beside the run, with the queues that it has then. */
  readonly shadow: OpenRunHandle;
  /** Fields of the run's record; null removes one. */
  readonly fields: Readonly<Record<string, Argument | null>>;
  /** Who asks; null: not said. */
  readonly by: string | null;
  /** JSON of what is told of the new revision. */
  readonly record: string;
}

const replaced = [
  ...(['state', 'waiting', 'parentOffsets', 'parents', 'childOffsets', 'children'] as const),
  ...(['groups', 'groupIndex', 'groupRanges', 'payload', 'names', 'counts', 'deliveries'] as const),
  ...(['generated', 'moreChildren', 'moreParents', 'retiring', 'paused', 'parked'] as const),
  ...(['spec', 'resets'] as const satisfies readonly (keyof typeof runKeyDocs)[]),
];

/** Puts the new revision in place; the same again is answered alike. `lost`: the run was thawed. Null: it is gone. */
export async function swapIn(redis: RedisClient, swap: Swap): Promise<string | null> {
  const { token, facts, now, shadow, fields, record, by } = swap;
  const { namespace, id, names } = facts.handle;
  const old = (part: 'spec' | 'payload', revision: number): string =>
    revisionKey(namespace, id, { part, revision });
  const { revision } = facts;
  const format = await redis.hget(names.meta, 'specFormat');
  const lapsed = revision - keptSpecs;
  const moves: (readonly [string, string])[] = [
    [old('spec', revision), names.spec],
    // Tasks that came one by one have their texts there, and nowhere else.
    ...(format === 'document' ? [] : [[old('payload', revision), names.payload] as const]),
    // Nothing was written there: these just go.
    ...(lapsed < 1 ? [] : (['spec', 'payload'] as const)).map(
      (part) => [old(part, lapsed), shadow.names.stash] as const,
    ),
    ...replaced.map((name) => [names[name], shadow.names[name]] as const),
    ...shadow.queues.map(
      (_, queue) =>
        [readyKey(namespace, id, queue), readyKey(namespace, shadow.id, queue)] as const,
    ),
  ];
  const removed = Object.keys(fields).filter((name) => fields[name] === null);
  const set = Object.entries(fields).flatMap(([name, value]) =>
    value === null ? [] : [name, value],
  );
  return await swapRevision.run(redis, { names, more: [shadow.names.meta, ...moves.flat()] }, [
    token,
    now,
    shadow.id,
    record,
    by ?? '',
    removed.length,
    ...removed,
    ...set,
  ]);
}
