import { keptSpecs, revisionKey } from './keys.ts';
import type { RunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** A key with what is kept of an earlier revision. */
export interface RevisionKey {
  /** As a section of an archived run is named. */
  readonly name: string;
  readonly type: 'string' | 'hash';
  readonly key: string;
}

const revisionName = /^(spec|payload)@([1-9]\d{0,9})$/;

/** Of runs that were edited: what is kept of the specs of earlier revisions. */
export async function listRevisionKeys(
  redis: RedisClient,
  { namespace, id, names }: RunHandle,
): Promise<readonly RevisionKey[]> {
  const revision = Number((await redis.hget(names.meta, 'revision')) ?? 1);
  const first = Math.max(1, revision - keptSpecs - 1);
  return Array.from({ length: revision - first }, (_, index) => first + index).flatMap((number) => [
    revisionKeyOf(namespace, id, { part: 'spec', revision: number }),
    revisionKeyOf(namespace, id, { part: 'payload', revision: number }),
  ]);
}

/** Of a section's name; undefined where it is of no earlier revision. */
export function keyTypeOfRevision(name: string): RevisionKey['type'] | undefined {
  const [, part] = revisionName.exec(name) ?? [];
  if (part === undefined) return undefined;
  return part === 'spec' ? 'string' : 'hash';
}

/** The key of a section's name; null where it is of no earlier revision. */
export function readRevisionKey({ namespace, id }: RunHandle, name: string): RevisionKey | null {
  const [, part, revision] = revisionName.exec(name) ?? [];
  if (part !== 'spec' && part !== 'payload') return null;
  return revisionKeyOf(namespace, id, { part, revision: Number(revision) });
}

function revisionKeyOf(
  namespace: string,
  id: string,
  { part, revision }: { readonly part: 'spec' | 'payload'; readonly revision: number },
): RevisionKey {
  const key = revisionKey(namespace, id, { part, revision });
  return { name: `${part}@${revision}`, type: part === 'spec' ? 'string' : 'hash', key };
}
