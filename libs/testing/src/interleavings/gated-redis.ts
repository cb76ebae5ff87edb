import type { Redis } from 'ioredis';
import type { Operation } from './process.ts';
import { scriptOf } from './variant.ts';

/** A command and what it was called with. */
export type Call = readonly [name: string, args: readonly unknown[]];

export interface Gate {
  /** What the process sends goes through here. */
  pass(operation: Operation): Promise<unknown>;
  /** For reads that block: whether there is something to be had. */
  hasNews(): boolean;
  /** Does a command; `send` brings it to Redis, with other arguments where these are given. */
  carry(call: Call, send: (args: readonly unknown[]) => unknown): unknown;
}

/** A client of a real Redis whose commands wait at a gate. Pipelines are one step. */
export function gateRedis(redis: Redis, gate: Gate): Redis {
  return new Proxy(redis, {
    get(target, name) {
      if (name === 'pipeline') return () => gatePipeline(target, gate);
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const call = withoutBlocking([String(name), args]);
        const isBlocking = call[1] !== args;
        return gate.pass({
          label: labelOf(call),
          run: () => gate.carry(call, (sent) => Reflect.apply(member, target, sent)),
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
        calls.push([String(name), args]);
        return proxy;
      };
    },
  });
  const send = async (): Promise<unknown> => {
    const pipeline = redis.pipeline();
    for (const call of calls) {
      await gate.carry(call, (args) => {
        const member: unknown = Reflect.get(pipeline, call[0]);
        if (typeof member === 'function') Reflect.apply(member, pipeline, args);
      });
    }
    return await pipeline.exec();
  };
  return proxy;
}

/** A read that would block the real connection does not: the schedule waits for it. */
function withoutBlocking([name, args]: Call): Call {
  if (args[0] !== 'XREADGROUP') return [name, args];
  const list = args.flat();
  const at = list.indexOf('BLOCK');
  if (at < 0) return [name, args];
  return [name, [list[0], [...list.slice(1, at), ...list.slice(at + 2)]]];
}

function labelOf([name, args]: Call): string {
  if (name !== 'callBuffer' && name !== 'call') return name;
  return scriptOf(args) ?? String(args[0]);
}
