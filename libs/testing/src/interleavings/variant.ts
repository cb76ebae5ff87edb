import { createHash } from 'node:crypto';
import { allScripts } from '@runnel/store';
import type { Redis } from 'ioredis';
import { clockKey } from './growth.ts';

export type ScriptName = (typeof allScripts)[keyof typeof allScripts]['name'];

/** Text of a script that is exchanged before Redis gets it. */
export interface Edit {
  readonly scripts: readonly ScriptName[];
  readonly find: string;
  readonly replace: string;
}

/** A command or a script on its way to Redis; it may be changed, left out or followed by another. */
export type Detour = (
  redis: Redis,
  call: readonly [name: string, args: readonly unknown[]],
  send: () => unknown,
) => unknown;

/** How what is explored differs from the product. */
export interface Variant {
  /** SHA of a script -> SHA of the one that is called instead. */
  readonly scripts: ReadonlyMap<string, string>;
  readonly detour?: Detour;
}

/** So small that a few tasks take several pages, as large runs do; deliveries are large at once. */
export const smallPages: readonly Edit[] = [
  {
    scripts: ['take-turn'],
    find: 'return max(1, min(info.max_batch, share, UNMEASURED)), info.max_batch',
    replace: 'return min(info.max_batch, queue.ready), 1',
  },
  { scripts: ['take-turn'], find: 'MOST_CUT = 24', replace: 'MOST_CUT = 2' },
  { scripts: ['take-turn'], find: 'advance(tonumber(ARGV[2]))', replace: 'advance(3)' },
  { scripts: ['halt-run'], find: 'tonumber(ARGV[3])', replace: '4' },
  { scripts: ['halt-run'], find: 'tonumber(ARGV[4])', replace: '2' },
  { scripts: ['page-cancel'], find: 'tonumber(ARGV[2])', replace: '2' },
  { scripts: ['page-cancel'], find: 'tonumber(ARGV[3])', replace: '1' },
  { scripts: ['page-retry'], find: 'tonumber(ARGV[2])', replace: '3' },
  { scripts: ['page-edit'], find: 'tonumber(ARGV[4])', replace: '2' },
  { scripts: ['take-turn'], find: 'RETIRE_PAGE = 512', replace: 'RETIRE_PAGE = 2' },
  // The lock of those who append is kept by the time of Redis, which is not that of the case.
  {
    scripts: ['append-tasks', 'write-generated'],
    find: "local t = call('TIME')\n  return tonumber(t[1]) * 1000 + floor(tonumber(t[2]) / 1000)",
    replace: `return tonumber(call('GET', '${clockKey}'))`,
  },
  { scripts: ['seal-run'], find: 'tonumber(ARGV[2])', replace: '5' },
];

/** Gives Redis the scripts as edited; throws where a text to be exchanged is not there. */
export async function loadVariant(
  [redis]: readonly Redis[],
  edits: readonly Edit[],
  detour?: Detour,
): Promise<Variant> {
  const scripts = new Map<string, string>();
  const unused = new Set(
    edits.flatMap(({ scripts: names, find }) => names.map((n) => `${n}: ${find}`)),
  );
  for (const { name, sha, source } of Object.values(allScripts)) {
    let edited = source;
    for (const { scripts: names, find, replace } of edits) {
      if (!names.includes(name) || !edited.includes(find)) continue;
      unused.delete(`${name}: ${find}`);
      edited = edited.replaceAll(find, () => replace);
    }
    // Redis keeps it, so that no case has to send the source.
    await redis?.script('LOAD', edited);
    scripts.set(sha, createHash('sha1').update(edited).digest('hex'));
  }
  for (const what of unused) throw new Error(`there is no such text in ${what}`);
  return { scripts, ...(detour === undefined ? {} : { detour }) };
}

/** The name of the script that a command calls, if it calls one. */
export function scriptOf(args: readonly unknown[]): string | undefined {
  return args[0] === 'EVALSHA' ? nameBySha.get(String(args[1])) : undefined;
}

const nameBySha = new Map(Object.values(allScripts).map(({ sha, name }) => [sha, name]));
