import type { Executor } from '@runnel/core';
import { type FunctionDetails, functionDetails } from './details.ts';

/** Calls a TypeScript function that the worker's settings register, in a thread, in batches. */
export const functionExecutor: Executor<FunctionDetails> = {
  name: 'function',
  lane: 'computes',
  maxBatch: 256,
  details: functionDetails,
  open: async (environment) => {
    const { openFunctions } = await import('./open.ts');
    return openFunctions(environment);
  },
};
