import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ChainableCommander, Cluster, Redis } from 'ioredis';
import { readyKeyBeside, type ScriptKey } from './keys.ts';

export type RedisClient = Redis | Cluster;
export type Argument = string | number | Buffer;
/** What a script can reply; bytes stay bytes, so packed ids survive the way. */
export type RawReply = number | Buffer | null | readonly RawReply[];
export type Prelude =
  | 'packed'
  | 'run'
  | 'cut'
  | 'settle'
  | 'advance'
  | 'repair'
  | 'retry'
  | 'parts'
  | 'cancel'
  | PreludeOfGrowth;
type PreludeOfGrowth = 'grow' | 'append' | 'outer' | 'results';

export interface ScriptOptions<Key extends ScriptKey> {
  readonly keys: readonly Key[];
  /** Lua put in front, in order; scripts with preludes find their keys as `K.<name>`. */
  readonly preludes?: readonly Prelude[];
  /** Takes further keys: the ready list of each queue of the run, or a page's target. */
  readonly takesMore?: boolean;
  /** May go on when Redis is full: scripts that finish work, never those that bring new work. */
  readonly allowOom?: boolean;
}

/** Where a call goes: the named keys, and further ones where the script takes them. */
export interface ScriptKeys<Key extends ScriptKey> {
  readonly names: Readonly<Record<Key, string>>;
  readonly more?: readonly string[];
}

/** A Lua script with the shape of its call and a reply that is decoded from raw bytes. */
export interface Script<Key extends ScriptKey = ScriptKey, Reply = unknown> {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly takesMore: boolean;
  readonly source: string;
  readonly sha: string;
  decode(raw: RawReply): Reply;
  run(redis: RedisClient, keys: ScriptKeys<Key>, args: readonly Argument[]): Promise<Reply>;
}

/** One call of a script inside a pipeline; none that takes ready lists, whose number may have grown. */
export interface ScriptCall<Reply> {
  readonly script: Pick<Script<never, Reply>, 'sha' | 'source' | 'decode'>;
  readonly call: readonly Argument[];
}

export function defineScript<const Key extends ScriptKey, Reply>(
  name: string,
  options: ScriptOptions<Key>,
  decode: (raw: RawReply) => Reply,
): Script<Key, Reply> {
  const source = assemble(name, options);
  const script: Script<Key, Reply> = {
    name,
    keys: options.keys,
    takesMore: options.takesMore ?? false,
    source,
    sha: createHash('sha1').update(source).digest('hex'),
    decode,
    async run(redis, keys, args) {
      try {
        return decode(await callOnce(redis, script, callOf(script, keys, args).call));
      } catch (error: unknown) {
        const grown = withGrownQueues(keys, error);
        if (grown === null) throw error;
        return decode(await callOnce(redis, script, callOf(script, grown, args).call));
      }
    },
  };
  return script;
}

async function callOnce(
  redis: RedisClient,
  script: Pick<Script, 'sha' | 'source'>,
  call: readonly Argument[],
): Promise<RawReply> {
  const raw = await redis.callBuffer('EVALSHA', script.sha, ...call).catch((error: unknown) => {
    if (!isMissingScript(error)) throw error;
    return redis.callBuffer('EVAL', script.source, ...call);
  });
  return asReply(raw);
}

const staleKeys = /^STALE (\d+)/;

/**
 * The keys with the ready lists that the run has now: a run that grew has more of them than the caller
 * knew. Such a call was refused before it wrote anything. Null for any other error.
 */
function withGrownQueues<Key extends ScriptKey>(
  keys: ScriptKeys<Key>,
  error: unknown,
): ScriptKeys<Key> | null {
  const match = error instanceof Error ? staleKeys.exec(error.message) : null;
  const names: Readonly<Partial<Record<ScriptKey, string>>> = keys.names;
  if (match === null || names.meta === undefined) return null;
  const { meta } = names;
  const more = Array.from({ length: Number(match[1]) }, (_, queue) => readyKeyBeside(meta, queue));
  return { ...keys, more };
}

/** A call to be put into `runPipeline`. */
export function callOf<Key extends ScriptKey, Reply>(
  script: Script<Key, Reply>,
  keys: ScriptKeys<Key>,
  args: readonly Argument[],
): ScriptCall<Reply> {
  const more = script.takesMore ? (keys.more ?? []) : [];
  const named = script.keys.map((key) => keys.names[key]);
  return { script, call: [named.length + more.length, ...named, ...more, ...args] };
}

/**
 * Runs scripts of one slot in one round trip and in order. Where Redis has forgotten them, all are
 * sent again as source: a script that is sent twice has no second effect.
 */
export async function runPipeline<const Replies extends readonly unknown[]>(
  redis: RedisClient,
  calls: { readonly [Index in keyof Replies]: ScriptCall<Replies[Index]> },
): Promise<Replies> {
  const replies = await send(redis, calls, (pipeline, { script, call }) => {
    pipeline.callBuffer('EVALSHA', script.sha, ...call);
  });
  const missing = replies.some(([error]) => isMissingScript(error));
  const final = missing
    ? await send(redis, calls, (pipeline, { script, call }) => {
        pipeline.callBuffer('EVAL', script.source, ...call);
      })
    : replies;
  const decoded = calls.map(({ script }, index) => {
    const [error, raw] = final[index] ?? [new Error('a reply is missing'), null];
    if (error !== null) throw error;
    return script.decode(asReply(raw));
  });
  return decoded as unknown as Replies; // one decoded reply for each call, in order
}

async function send(
  redis: RedisClient,
  calls: readonly ScriptCall<unknown>[],
  add: (pipeline: ChainableCommander, call: ScriptCall<unknown>) => void,
): Promise<readonly (readonly [Error | null, unknown])[]> {
  const pipeline = redis.pipeline();
  for (const call of calls) add(pipeline, call);
  const replies = await pipeline.exec();
  if (replies === null) throw new Error('the pipeline was aborted');
  return replies;
}

function assemble<Key extends ScriptKey>(name: string, options: ScriptOptions<Key>): string {
  const head = options.allowOom ? '#!lua flags=allow-oom\n' : '';
  if (options.preludes === undefined) return head + readLua(name);
  const fields = options.keys.map((key, index) => `${key}=KEYS[${index + 1}]`);
  const binding = `local K,FIXED={${fields.join(',')}},${options.keys.length}\n`;
  const preludes = options.preludes.map((prelude) => readLua(`prelude-${prelude}`));
  return [head, binding, ...preludes, readLua(name)].join('');
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}

/** Redis forgets scripts when it restarts; the first caller after that sends the source again. */
function isMissingScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** The Buffer forms of commands reply with nothing else; nested errors can't come from scripts. */
function asReply(raw: unknown): RawReply {
  return raw as RawReply;
}
