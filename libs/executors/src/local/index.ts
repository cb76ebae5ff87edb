import type { Executor } from '@runnel/core';
import { type LocalDetails, localDetails } from './details.ts';

export interface LocalOptions {
  /** `auto`: small helper processes where Python 3 is found, else execa. Default `auto`. */
  readonly starter?: 'auto' | 'execa';
  /** What runs the helpers. Default `python3`, from the worker's PATH. */
  readonly python?: string;
  /** Told once where `auto` has to do without helpers. Default: a warning of the process. */
  readonly warn?: (message: string) => void;
}

/** An executor that runs commands on the worker's machine, each in a process group of its own. */
export function createLocal(options: LocalOptions = {}): Executor<LocalDetails> {
  return {
    name: 'local',
    lane: 'computes',
    maxBatch: 1,
    details: localDetails,
    secretPlaces: [['environment', '*'], ['stdin']],
    open: async (environment) => {
      const { openLocal } = await import('./open.ts');
      return openLocal(environment, options);
    },
  };
}

export const local: Executor<LocalDetails> = createLocal();
