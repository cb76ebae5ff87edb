import { z } from 'zod';
import { className, commonFields, policyFields, rows, runParameters } from './entry-fields.ts';
import { fields } from './fields.ts';
import { kinds } from './kinds/kinds.ts';
import { notYetRunFields } from './not-yet.ts';
import { webhooksField } from './webhooks.ts';

const entry = z
  .union(kinds.map((kind) => kind.schema))
  .describe('One task, or one class of tasks.');
const entryOfMap = z
  .union(kinds.map((kind) => kind.schemaWithoutClass))
  .describe('A task without its class, which is the key.');

const tag = z.string({
  error: ({ input }) =>
    typeof input === 'number' || typeof input === 'boolean'
      ? `a tag's value is a string: write "${input}"`
      : undefined,
});

const defaults = fields({ ...policyFields, runIf: commonFields.runIf });

const headFields = {
  name: z.string().min(1).max(200).optional().describe('A name for the run, for people.'),
  tags: z
    .record(z.string().min(1).max(100), tag.max(500))
    .refine((tags) => Object.keys(tags).length <= 100, { error: 'there are more than 100 tags' })
    .optional()
    .describe('Names and values by which runs are found.'),
  parameters: runParameters
    .optional()
    .describe('Values that expand tasks: an object of parameters, or a list of rows.'),
  exclude: rows.optional().describe('Combinations to leave out: all named values must match.'),
  include: rows.optional().describe('Complete rows to add.'),
  defaults: defaults
    .optional()
    .meta({ title: 'Defaults', description: 'Fields for every task that gives none itself.' }),
  onFailure: z
    .enum(['continue', 'stop'])
    .optional()
    .describe('After a failure: go on with what can go on (default), or start nothing more.'),
  parallelism: z
    .int()
    .min(1)
    .max(16_777_216)
    .optional()
    .describe('The most tasks that may be queued or running at once. Default: no limit.'),
  priority: policyFields.priority.describe('The priority of tasks that give none. Default 0.'),
  webhooks: webhooksField.optional(),
};

/** A run without a look into its tasks: these are read one by one. */
export const runHeadSchema = fields(
  { ...headFields, tasks: z.unknown().optional() },
  notYetRunFields,
);
export type RunHead = z.infer<typeof runHeadSchema>;

/** Fields of a run that make several tasks of one entry. */
export const expandingFields = ['parameters', 'exclude', 'include'] as const;

/** A run spec as a user writes it. `expandSpec` checks much more than its form. */
export const runSpecSchema = fields(
  {
    ...headFields,
    tasks: z
      .union([z.array(entry).min(1), z.record(className, entryOfMap)])
      .describe('A list of tasks, or an object of tasks by class.'),
  },
  notYetRunFields,
).meta({ title: 'Run spec', description: 'A directed acyclic graph of tasks to run.' });

/** The JSON Schema (draft 2020-12) of a run spec, for editors. */
export function runSpecJsonSchema(): object {
  return {
    $id: 'urn:runnel:schema:run-spec',
    ...z.toJSONSchema(runSpecSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
