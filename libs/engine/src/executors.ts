import type { Lane, OpenExecutor, SecretPlace } from '@runnel/core';

/** What the engine needs to know of executors; apps bring the implementation. */
export interface ExecutorFacts {
  lane(name: string): Lane;
  maxBatch(name: string): number;
  isSideBySide(name: string): boolean;
}

/** Opens executors when they are first used and keeps them. */
export interface ExecutorPool extends Pick<ExecutorFacts, 'isSideBySide'> {
  open(name: string): Promise<OpenExecutor<unknown>>;
  /** Where its details may refer to secrets. */
  secretPlaces(name: string): readonly SecretPlace[];
  /** Checks rendered details; returns what the executor gets, or says what is wrong. */
  parseDetails(
    name: string,
    details: unknown,
  ):
    | { readonly ok: true; readonly details: unknown }
    | { readonly ok: false; readonly message: string };
}
