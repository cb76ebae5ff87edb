import { once } from 'node:events';
import { connect } from 'node:net';
import { type HostPort, parseRedisAddress, unreachable } from '@runnel/core';
import { maskUrl } from '@runnel/service';
import { StackError } from '../exit-codes.ts';

const answerWithinMs = 3_000;

/** The processes would wait for a Redis that is away: who starts them wants to be told. @throws StackError. */
export async function probeRedis(url: string): Promise<void> {
  const results = await Promise.allSettled(serversOf(url).map(probe));
  const [first] = results;
  if (first?.status !== 'rejected' || results.some(({ status }) => status === 'fulfilled')) return;
  const error: unknown = first.reason;
  const isLate = error instanceof Error && error.name === 'AbortError';
  const why = isLate ? `no answer within ${answerWithinMs / 1000} s` : describe(error);
  throw new StackError(`${maskUrl(url)} can't be reached: ${why}`, { cause: error });
}

/** Of Sentinels and nodes of a Cluster one is enough. */
function serversOf(url: string): readonly HostPort[] {
  const address = parseRedisAddress(url);
  switch (address.kind) {
    case 'single':
      return [address.server];
    case 'sentinel':
      return address.sentinels;
    case 'cluster':
      return address.nodes;
    default:
      throw unreachable(address);
  }
}

async function probe({ host, port }: HostPort): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerWithinMs) });
  } finally {
    socket.destroy();
  }
}

/** Of several addresses the first tells enough. */
function describe(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
