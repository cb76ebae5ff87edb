import { exitCodes } from '../exit-codes.ts';
import type { Interrupts } from '../interrupts.ts';
import type { Stack } from './stack.ts';

/** In order; at once, and the process with it, where the user does not want to wait. */
export async function closeStack(stack: Stack, interrupts: Interrupts): Promise<void> {
  await Promise.race([stack[Symbol.asyncDispose](), aborted(interrupts.second)]);
  if (!interrupts.second.aborted) return;
  await stack.kill();
  process.exit(exitCodes.interrupted);
}

export async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
