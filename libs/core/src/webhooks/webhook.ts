import { z } from 'zod';
import { isSecretName, secretNameRule } from '../secrets/secret-source.ts';

/** Ends of runs, and what else befalls them, as a webhook names it. */
export const runHookWords = [
  'run-started',
  'run-paused',
  'run-resumed',
  'run-retried',
  'run-edited',
  'run-cancelling',
  'run-stopping',
  'run-ended',
  'run-succeeded',
  'run-failed',
  'run-cancelled',
] as const;

/** Ends of tasks, and delays between their attempts. */
export const taskHookWords = [
  'task-ended',
  'task-succeeded',
  'task-failed',
  'task-skipped',
  'task-upstream-failed',
  'task-cancelled',
  'task-delayed',
] as const;

export const hookWords = [...runHookWords, ...taskHookWords] as const;
export type HookWord = (typeof hookWords)[number];

/** What a webhook that names nothing is told of. */
export const defaultHookWords: readonly HookWord[] = ['run-ended'];

/** More are a mistake: each one is a request for each message. */
export const maxWebhooks = 10;
const maxClasses = 100;
const maxUrlLength = 2_048;

/** The fields of a webhook, in a spec and in the settings. */
export const webhookFields = {
  url: z
    .string()
    .max(maxUrlLength)
    .check((context) => {
      const message = findUrlProblem(context.value);
      if (message !== null) context.issues.push({ code: 'custom', message, input: context.value });
    })
    .describe('Where events are posted: http or https.'),
  on: z.array(z.enum(hookWords)).min(1).optional().describe('What is told. Default: run-ended.'),
  secret: z
    .strictObject({
      secret: z
        .string()
        .refine(isSecretName, { error: `a name is ${secretNameRule}` })
        .describe('The name of a secret that the listeners have.'),
    })
    .optional()
    .describe('The secret that messages are signed with, by name. Default: not signed.'),
  classes: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(maxClasses)
    .optional()
    .describe('Of tasks only those of these classes.'),
};

export const webhookSchema = z.strictObject(webhookFields).check((context) => {
  const message = findWebhookProblem(context.value);
  if (message === null) return;
  context.issues.push({ code: 'custom', message, input: context.value, path: ['classes'] });
});

/** Where events of a run are posted, and which. */
export type Webhook = z.infer<typeof webhookSchema>;

/** What is wrong with the fields together, about `classes`; null: nothing. */
export function findWebhookProblem({ on, classes }: Webhook): string | null {
  if (classes === undefined || hookNames(taskHookWords, on)) return null;
  return 'only events of tasks have a class: name one in "on", such as task-failed, or leave this out';
}

/** True where a webhook is told of tasks. */
export function tellsTasks({ on }: Webhook): boolean {
  return hookNames(taskHookWords, on);
}

function hookNames(words: readonly HookWord[], on: Webhook['on']): boolean {
  return (on ?? defaultHookWords).some((word) => words.includes(word));
}

function findUrlProblem(text: string): string | null {
  const url = URL.parse(text);
  const example = 'such as https://example.org/hook';
  if (url === null) return `expected an address ${example}`;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `expected an address of http or https, ${example}, got ${JSON.stringify(url.protocol)}`;
  }
  if (url.username !== '' || url.password !== '') {
    return 'an address has no user and password here, since specs are stored: sign with "secret", and let the receiver check that';
  }
  return null;
}
