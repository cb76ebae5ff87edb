import { once } from 'node:events';
import { connect } from 'node:net';
import { maskUrl } from '@runnel/service';
import { StackError } from '../exit-codes.ts';

const answerWithinMs = 3_000;

/** The processes would wait for a Redis that is away: who starts them wants to be told. @throws StackError. */
export async function probeRedis(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({ host, port: port === '' ? 6379 : Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerWithinMs) });
  } catch (error: unknown) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    const why = isLate ? `no answer within ${answerWithinMs / 1000} s` : describe(error);
    throw new StackError(`${maskUrl(url)} can't be reached: ${why}`, { cause: error });
  } finally {
    socket.destroy();
  }
}

/** Of several addresses the first tells enough. */
function describe(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
