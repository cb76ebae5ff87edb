import { type Json, maxTaskIdBytes, ons, runIfs } from '@runnel/core';
import { z } from 'zod';
import { duration } from './duration.ts';
import { fields } from './fields.ts';

/** Any JSON; that it is JSON was checked on the document as a whole. */
const json = z.custom<Json>((value) => value !== undefined, {
  error: 'missing: expected a JSON value',
});

const classPattern = /^[A-Za-z_][\w-]{0,99}$/;

export const className = z
  .string()
  .regex(classPattern, { error: ({ input }) => describeClass(String(input)) })
  .describe('A class: a letter or "_", then letters, digits, "_" or "-"; at most 100 characters.');

function describeClass(input: string): string {
  const name = JSON.stringify(input);
  return input.includes('.')
    ? `the class ${name} has a dot: dots belong to processes and generated tasks`
    : `${name} is no class: write a letter or "_", then letters, digits, "_" or "-", at most 100`;
}

export const taskIdField = z
  .string()
  .regex(/^[^\s\p{Cc}]{1,200}$/u, {
    error: 'an id has 1 to 200 characters, none of them a space or a control character',
  })
  .regex(/\D/, { error: 'an id of digits only would be taken for the number of a task' })
  .describe('The id of one task, unique in the run; without white space, not digits only.');

const axisName = z
  .string()
  .regex(/^(?:[A-Za-z_]\w{0,99}|\{\{\s*[A-Za-z_]\w{0,99}\s*\}\})$/, {
    error: ({ input }) =>
      `${JSON.stringify(input)} is no name for a parameter: write a letter or "_", then letters, digits or "_"`,
  })
  .refine((name) => !['run', 'task', 'outputs'].includes(bareAxisName(name)), {
    error: ({ input }) => `the name ${JSON.stringify(input)} is reserved`,
  })
  .describe('The name of a parameter, plain or as "{{NAME}}".');

/** `{{CITY}}` and `CITY` are the same name. */
export function bareAxisName(name: string): string {
  return name.startsWith('{{') ? name.slice(2, -2).trim() : name;
}

const rangeEnd = z.union([z.int(), z.string()], {
  error: 'expected a whole number or a date such as "2024-01-31"',
});

const range = fields({
  from: rangeEnd.describe('The first value: a whole number or a date (YYYY-MM-DD).'),
  to: rangeEnd.describe('The last value, itself included.'),
  step: rangeEnd
    .optional()
    .describe('A whole number from 1, or for dates "1d", "1w", "1mo" or "1y". Default 1, "1d".'),
}).meta({ title: 'Range', description: 'Whole numbers or dates from one to another.' });

const axis = z
  .union([z.array(json).min(1, { error: 'the list is empty: a parameter needs a value' }), range], {
    error: 'expected a list of values or { from, to, step }',
  })
  .describe('The values of a parameter: a list, or a range.');

/** Far more than anybody combines; each one costs time with every other. */
const maxAxes = 100;

function hasFewAxes(value: object): boolean {
  return Object.keys(value).length <= maxAxes;
}

const tooManyAxes = { error: `there are more than ${maxAxes} parameters` };

const row = z
  .record(axisName, json)
  .refine(hasFewAxes, tooManyAxes)
  .describe('A value for each parameter.');

export const axes = z
  .record(axisName, axis)
  .refine(hasFewAxes, tooManyAxes)
  .describe('Parameters and their values.');
export const rows = z.array(row);

/** `parameters` of a run. */
export const runParameters = z.union(
  [axes, rows.min(1, { error: 'the list is empty: parameters need a row' })],
  { error: 'expected an object of parameters or a list of rows' },
);

/** `parameters` of a task. */
const taskParameters = z
  .union([z.array(axisName), axes], {
    error: 'expected a list of parameter names or an object of parameters',
  })
  .describe(
    'Names of parameters that the task uses without a placeholder, or parameters of its own.',
  );

const on = z.enum(ons).describe('What the parent must have come to. Only with the default runIf.');

const classRef = fields({
  class: className,
  match: z
    .union([z.literal(true), z.array(axisName).min(1)], {
      error: 'expected true or a list of parameter names',
    })
    .optional()
    .describe('Only instances with equal values: of all shared parameters, or of those named.'),
  optional: z
    .boolean()
    .optional()
    .describe('An instance without a counterpart is no error. Only with match.'),
  on: on.optional(),
}).meta({ title: 'Class reference' });

/** No id is longer; the search for one tries each colon in it. */
const refName = z.string().min(1).max(maxTaskIdBytes);

const idRef = fields({ id: refName.describe('The id of one task.'), on: on.optional() }).meta({
  title: 'Task reference',
});

const ref = z.union([refName.describe('A class.'), classRef, idRef], {
  error: 'expected a class, { class, match } or { id }',
});
export type RawRef = z.infer<typeof ref>;

/** Fields of every kind of entry. */
export const commonFields = {
  class: className,
  id: taskIdField.optional(),
  parents: z
    .array(ref)
    .optional()
    .describe('What must have ended before: classes or single tasks.'),
  children: z.array(ref).optional().describe('The same from the other side.'),
  parameters: taskParameters.optional(),
  runIf: z
    .enum(runIfs)
    .optional()
    .describe('When it runs, seen from its parents. Default all-succeeded.'),
};

const exitCodes = z
  .array(z.int().min(0).max(255))
  .min(1, { error: 'the list is empty: name at least one exit code' });

const limit = z.int().min(0).max(254).describe('More tries after the first: 0 to 254. Default 0.');

const retries = z
  .union(
    [
      limit,
      fields({
        limit: limit.optional(),
        backoff: duration('The delay before the second try. Default 1s.').optional(),
        factor: z
          .number()
          .min(1)
          .max(100)
          .optional()
          .describe('By how much each delay is longer than the one before. Default 2.'),
        maxDelay: duration('The longest delay. Default 5m.').optional(),
        onExitCodes: exitCodes.optional().describe('Only these exit codes are tried again.'),
      }),
    ],
    { error: 'expected a whole number or { limit, backoff, factor, maxDelay, onExitCodes }' },
  )
  .describe('How often a failed attempt is followed by another, and after which delay.');
export type RawRetries = z.infer<typeof retries>;

/** What a task is carried out with, and under which rules; `defaults` takes the same. */
export const policyFields = {
  executor: z.string().min(1).optional().describe('What carries the task out. Default local.'),
  details: json
    .optional()
    .describe('What the executor is to do; its fields belong to the executor.'),
  allowFailure: z
    .boolean()
    .optional()
    .describe('Its failure does not fail the run. Default false.'),
  retries: retries.optional(),
  timeout: duration('The longest time for one attempt. Default none.')
    .refine((text) => parsePositive(text), { error: 'a timeout is longer than 0ms' })
    .optional(),
  successExitCodes: exitCodes.optional().describe('Exit codes that mean success. Default [0].'),
  pool: z.string().min(1).optional().describe('The pool whose workers take it. Default default.'),
  priority: z
    .int()
    .min(-1000)
    .max(1000)
    .optional()
    .describe('Higher goes first: -1000 to 1000. Default 0.'),
  resources: z
    .record(z.string().min(1).max(100), z.number().positive())
    .optional()
    .describe('Counted resources that it holds while it runs: a name and a positive number.'),
  templated: z.boolean().optional().describe('False leaves braces in details alone. Default true.'),
  version: z
    .union([z.string().min(1).max(100), z.int()], {
      error: 'expected a text of 1 to 100 characters or a whole number',
    })
    .optional()
    .describe('Change it to have tasks run again when the run is edited.'),
};

function parsePositive(text: string): boolean {
  return !/^[0.]+(?:ms|s|m|h|d)$/.test(text);
}
