import type { Redis } from 'ioredis';
import type { Operation } from './process.ts';

/** Lua sources by the SHA of what they replace. */
export type Replacements = ReadonlyMap<string, string>;

export interface Gate {
  /** What the process sends goes through here. */
  pass(operation: Operation): Promise<unknown>;
  /** For reads that block: whether there is something to be had. */
  hasNews(): boolean;
  /** Told before a blocking read is done. */
  onRead(): void;
  /** Told of each command before it is done. */
  onCommand(name: string, args: readonly unknown[]): void;
  readonly replacements: Replacements;
}

type Call = readonly [name: string, args: readonly unknown[]];

/** A client of a real Redis whose commands wait at a gate. Pipelines are one step. */
export function gateRedis(redis: Redis, gate: Gate): Redis {
  return new Proxy(redis, {
    get(target, name) {
      if (name === 'pipeline') return () => gatePipeline(target, gate);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const isBlocking = isBlockingRead(args);
        const call = prepare([String(name), args], gate.replacements);
        return gate.pass({
          label: labelOf(call),
          run: () => {
            if (isBlocking) gate.onRead();
            gate.onCommand(...call);
            return Reflect.apply(member, target, call[1]);
          },
          ...(isBlocking ? { isEnabled: () => gate.hasNews() } : {}),
        });
      };
    },
  });
}

/** Gathers commands; `exec` may be done again, as after a reconnect. */
function gatePipeline(redis: Redis, gate: Gate): ReturnType<Redis['pipeline']> {
  const calls: Call[] = [];
  const proxy: ReturnType<Redis['pipeline']> = new Proxy(redis.pipeline(), {
    get(_target, name) {
      if (name === 'then') return undefined;
      if (name === 'exec') {
        return () => gate.pass({ label: calls.map(labelOf).join(' '), run: () => send() });
      }
      return (...args: unknown[]) => {
        calls.push(prepare([String(name), args], gate.replacements));
        return proxy;
      };
    },
  });
  const send = async (): Promise<unknown> => {
    const pipeline = redis.pipeline();
    for (const [name, args] of calls) {
      gate.onCommand(name, args);
      const member: unknown = Reflect.get(pipeline, name);
      if (typeof member === 'function') Reflect.apply(member, pipeline, args);
    }
    return await pipeline.exec();
  };
  return proxy;
}

/** Scripts under mutation are exchanged; a read that would block the real connection does not. */
function prepare([name, args]: Call, replacements: Replacements): Call {
  if (name === 'callBuffer' && args[0] === 'EVALSHA') {
    const source = replacements.get(String(args[1]));
    return source === undefined ? [name, args] : [name, ['EVAL', source, ...args.slice(2)]];
  }
  if (!isBlockingRead(args)) return [name, args];
  const list = flat(args);
  const at = list.indexOf('BLOCK');
  return [name, [list[0], [...list.slice(1, at), ...list.slice(at + 2)]]];
}

function isBlockingRead(args: readonly unknown[]): boolean {
  return args[0] === 'XREADGROUP' && flat(args).includes('BLOCK');
}

function flat(args: readonly unknown[]): readonly unknown[] {
  return args.flat();
}

function labelOf([name, args]: Call): string {
  const [command, sha] = args;
  const isCall = name === 'callBuffer' || name === 'call';
  if (!isCall) return name;
  return command === 'EVALSHA' || command === 'EVAL'
    ? `script ${String(sha).slice(0, 8)}`
    : String(command);
}
