import type { Json } from '@runnel/core';

/** A class, or one task: how native entries name their parents and children. */
export type Ref = string | { readonly id: string };

/** A task as Runnel's specs write it. */
export interface NativeEntry {
  readonly class: string;
  readonly id: string;
  readonly executor?: string;
  readonly parents?: readonly Ref[];
  readonly children?: readonly Ref[];
  readonly details?: Json;
  readonly timeout?: string;
  readonly retries?: number;
  readonly resources?: Readonly<Record<string, number>>;
  readonly generator?: string;
  readonly templated?: boolean;
}

/** Everything of a run but its tasks. */
export interface NativeHead {
  readonly tags: Json;
  readonly defaults: { readonly templated: false; readonly pool?: string };
}
