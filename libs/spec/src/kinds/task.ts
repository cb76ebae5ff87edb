import type { GeneratorDialect } from '@runnel/core';
import { z } from 'zod';
import { parseDuration } from '../duration.ts';
import { commonFields, policyFields, type RawRetries } from '../entry-fields.ts';
import { fields } from '../fields.ts';
import { notYetFields } from '../not-yet.ts';
import type { Kind } from './kind.ts';

const describeGenerator =
  'write "generator: true", "generator: daggyr" where it prints tasks as DaggyR has them, or leave it out for a task that generates nothing';

const schema = fields(
  {
    ...commonFields,
    kind: z.literal('task').optional().describe('What the entry is. Default task.'),
    ...policyFields,
    generator: z
      .literal([true, 'daggyr'], { error: describeGenerator })
      .optional()
      .describe(
        'Its output is a set of tasks that join the run while it goes on; "daggyr": written as for DaggyR.',
      ),
  },
  notYetFields,
).meta({ title: 'Task', description: 'Work for an executor.' });

/** Work that an executor carries out: the kind of an entry that names none. */
export const task: Kind = {
  name: 'task',
  schema,
  schemaWithoutClass: schema.omit({ class: true }),
  policyOf: (merged) => ({
    kind: 'task',
    executor: merged.executor ?? 'local',
    pool: merged.pool ?? 'default',
    priority: merged.priority ?? 0,
    timeoutMs: merged.timeout === undefined ? null : parseDuration(merged.timeout),
    retries: retryPolicyOf(merged.retries),
    successExitCodes: merged.successExitCodes ?? [0],
    allowFailure: merged.allowFailure ?? false,
    resources: merged.resources ?? {},
    templated: merged.templated ?? true,
    version: merged.version ?? null,
    ...(merged.generator === undefined ? {} : { generator: dialectOf(merged.generator) }),
  }),
};

function dialectOf(generator: true | 'daggyr'): GeneratorDialect {
  return generator === true ? 'native' : generator;
}

function retryPolicyOf(raw: RawRetries | undefined): ReturnType<Kind['policyOf']>['retries'] {
  const written = typeof raw === 'number' ? { limit: raw } : (raw ?? {});
  return {
    limit: written.limit ?? 0,
    backoffMs: parseDuration(written.backoff ?? '1s') ?? 0,
    factor: written.factor ?? 2,
    maxDelayMs: parseDuration(written.maxDelay ?? '5m') ?? 0,
    onExitCodes: written.onExitCodes ?? null,
  };
}
