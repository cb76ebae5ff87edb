import { z } from 'zod';
import { commonFields } from '../entry-fields.ts';
import { fields } from '../fields.ts';
import { notYetFields } from '../not-yet.ts';
import type { Kind, Policy } from './kind.ts';

const schema = fields(
  {
    ...commonFields,
    kind: z.literal('barrier').describe('A point that others wait for; it runs nothing.'),
  },
  notYetFields,
).meta({ title: 'Barrier', description: 'Ends as its parents tell it to and runs nothing.' });

/** What a node that runs nothing has where a task has its rules. */
export const barrierPolicy: Policy = {
  kind: 'barrier',
  executor: 'barrier',
  pool: 'default',
  priority: 0,
  timeoutMs: null,
  retries: { limit: 0, backoffMs: 0, factor: 1, maxDelayMs: 0, onExitCodes: null },
  successExitCodes: [0],
  allowFailure: false,
  resources: {},
  templated: false,
  version: null,
};

/** A point that others wait for. */
export const barrier: Kind = {
  name: 'barrier',
  schema,
  schemaWithoutClass: schema.omit({ class: true }),
  policyOf: () => barrierPolicy,
};
