import { z } from 'zod';
import { ownVariables } from './environment.ts';

/** The system's own limit for a text in argv or the environment: it ends at the first NUL. */
const withoutNul = z.string().regex(/^[^\0]*$/, 'must not contain a NUL character');

/** A leaf that is one placeholder keeps the type of its value, so numbers and booleans arrive here. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const word = text.pipe(withoutNul);

const reserved: ReadonlySet<string> = new Set(ownVariables);

const variableName = z
  .string()
  .regex(/^[^=\0]+$/, 'a variable needs a name without "="')
  .refine((name) => !reserved.has(name), 'this variable is set by Runnel and can not be replaced');

export const localDetails = z.strictObject({
  command: z
    .array(word, {
      error: 'expected a list of words such as ["echo", "hi"]; for a shell ["sh", "-c", "echo hi"]',
    })
    .nonempty('needs at least the name of a program')
    .refine((words) => words[0] !== '', 'the name of the program is empty'),
  environment: z.record(variableName, word).optional(),
  cwd: text.pipe(withoutNul.min(1, 'leave cwd out to run in the directory of the run')).optional(),
  stdin: text.optional(),
});

export type LocalDetails = z.output<typeof localDetails>;
