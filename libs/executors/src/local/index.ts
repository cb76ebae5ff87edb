import type { Executor } from '@runnel/core';
import { type LocalDetails, localDetails } from './details.ts';

/** Runs a command on the worker's machine, in a process group of its own. */
export const local: Executor<LocalDetails> = {
  name: 'local',
  lane: 'computes',
  maxBatch: 1,
  details: localDetails,
  open: async (environment) => {
    const { openLocal } = await import('./open.ts');
    return openLocal(environment);
  },
};
