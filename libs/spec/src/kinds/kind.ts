import type { Group, Json, RunIf } from '@runnel/core';
import type { z } from 'zod';
import type { RawAxes } from '../axes.ts';
import type { RawRef, RawRetries } from '../entry-fields.ts';

/** An entry of `tasks` as it was written, whatever its kind. */
export interface RawEntry {
  readonly class: string;
  readonly id?: string | undefined;
  readonly parents?: readonly RawRef[] | undefined;
  readonly children?: readonly RawRef[] | undefined;
  readonly parameters?: readonly string[] | RawAxes | undefined;
  readonly runIf?: RunIf | undefined;
  readonly executor?: string | undefined;
  readonly details?: Json | undefined;
  readonly allowFailure?: boolean | undefined;
  readonly retries?: RawRetries | undefined;
  readonly timeout?: string | undefined;
  readonly successExitCodes?: readonly number[] | undefined;
  readonly pool?: string | undefined;
  readonly priority?: number | undefined;
  readonly resources?: Readonly<Record<string, number>> | undefined;
  readonly templated?: boolean | undefined;
  readonly version?: string | number | undefined;
  readonly generator?: true | 'daggyr' | undefined;
}

/** The part of an entry that `defaults` may fill in. */
export type RawPolicy = Omit<RawEntry, 'class' | 'id' | 'parents' | 'children' | 'parameters'>;

/** The part of a group that says how its tasks are carried out. */
export type Policy = Pick<
  Group,
  | 'kind'
  | 'executor'
  | 'pool'
  | 'priority'
  | 'timeoutMs'
  | 'retries'
  | 'successExitCodes'
  | 'allowFailure'
  | 'resources'
  | 'templated'
  | 'version'
  | 'generator'
>;

/** What `kind` may be: one file each, and a line in kinds.ts. */
export interface Kind {
  readonly name: Group['kind'];
  readonly schema: z.ZodType<RawEntry>;
  /** For an object of tasks by class. */
  readonly schemaWithoutClass: z.ZodType;
  /** How an entry of this kind is carried out; `defaults` are merged already. */
  policyOf(merged: RawPolicy): Policy;
}
