import { describeIssue, SpecError } from '@runnel/core';
import { expect, test } from 'vitest';
import { expand, issuesOf, options } from './expand.test-kit.ts';
import { SpecLines } from './spec-lines.ts';

const tasks = 'tasks: [{ class: pull, executor: noop }]';

test('webhooks stand in the plan as they were written', () => {
  const webhooks = [
    { url: 'https://example.org/a' },
    {
      url: 'http://example.org:8080/b?c=d',
      on: ['run-failed', 'task-failed'],
      secret: { secret: 'HOOK_KEY' },
      classes: ['pull'],
    },
  ];

  const plan = expand({ webhooks, tasks: [{ class: 'pull', executor: 'noop' }] });

  expect(plan.webhooks).toEqual(webhooks);
});

test.each([
  ['[]', 'webhooks (line 1, column 1): expected a list of at least 1'],
  ['[{}]', 'webhooks[0].url (line 1, column 12): missing: expected a string'],
  [
    '[{ url: x }]',
    'webhooks[0].url (line 1, column 14): expected an address such as https://example.org/hook',
  ],
  [
    '[{ url: "ftp://x.org" }]',
    'webhooks[0].url (line 1, column 14): expected an address of http or https, such as https://example.org/hook, got "ftp:"',
  ],
  [
    '[{ url: "https://me:it@x.org" }]',
    'webhooks[0].url (line 1, column 14): an address has no user and password here, since specs are stored: sign with "secret", and let the receiver check that',
  ],
  [
    '[{ url: "https://x.org", On: [run-ended] }]',
    'webhooks[0].On (line 1, column 36): unknown field "On" (did you mean "on"?)',
  ],
  [
    '[{ url: "https://x.org", secret: { secret: "a b" } }]',
    'webhooks[0].secret.secret (line 1, column 46): a name is a letter or "_", then letters, digits or "_", at most 128',
  ],
  [
    '[{ url: "https://x.org", classes: [pull] }]',
    'webhooks[0].classes (line 1, column 36): only events of tasks have a class: name one in "on", such as task-failed, or leave this out',
  ],
  [
    '[{ url: "https://x.org", on: [task-failed], classes: [pul] }]',
    'webhooks[0].classes[0] (line 1, column 65): no task has the class "pul" (did you mean "pull"?)',
  ],
])('webhooks %s: the mistake is told with its place', (webhooks, issue) => {
  expect(issuesOf(`webhooks: ${webhooks}\n${tasks}`)).toEqual([issue]);
});

test('an unknown word is told with those that are known', () => {
  const [issue] = issuesOf(`webhooks: [{ url: "https://x.org", on: [run-end] }]\n${tasks}`);

  expect(issue).toContain('webhooks[0].on[0] (line 1, column 41): expected "run-started", ');
  expect(issue).toContain(' or "task-delayed", got "run-end"');
});

test('an address that is refused is an error with its place, also where tasks come one by one', async () => {
  const spec = new SpecLines({ ...options, refuseWebhook: (url) => `${url} is refused` });
  await spec.write(Buffer.from('{"webhooks":[{"url":"http://10.0.0.1/"}]}\n'));
  await spec.write(Buffer.from('{"class":"a","executor":"noop"}\n'));

  const error: unknown = await spec.end().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(SpecError);
  expect(error instanceof SpecError ? error.issues.map(describeIssue) : []).toEqual([
    'webhooks[0].url (line 1): http://10.0.0.1/ is refused',
  ]);
});

test('webhooks of tasks that come one by one stand in the plan, and their classes are checked', async () => {
  const lines = async (classes: string): Promise<unknown> => {
    const spec = new SpecLines(options);
    const webhook = `{"url":"https://x.org","on":["task-ended"],"classes":["${classes}"]}`;
    await spec.write(Buffer.from(`{"webhooks":[${webhook}]}\n{"class":"a","executor":"noop"}\n`));
    return (await spec.end()).plan.webhooks;
  };

  expect(await lines('a')).toEqual([{ url: 'https://x.org', on: ['task-ended'], classes: ['a'] }]);
  await expect(lines('b')).rejects.toThrow('no task has the class "b"');
});
