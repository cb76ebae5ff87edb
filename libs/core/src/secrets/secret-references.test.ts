import { expect, test } from 'vitest';
import { describeIssue, type Issue } from '../errors.ts';
import type { Json } from '../json.ts';
import { fillSecretReferences, findSecretReferences } from './secret-references.ts';

const places = [['environment', '*'], ['stdin']];

test('finds references at their places only', () => {
  const details = {
    command: ['psql', { secret: 'NOT_HERE' }],
    environment: { PASSWORD: { secret: 'DB' }, USER: 'app' },
    stdin: { secret: 'SCRIPT' },
    input: { secret: 'NOR_HERE' },
  };

  expect(findSecretReferences(places, details)).toEqual([
    { path: ['environment', 'PASSWORD'], name: 'DB' },
    { path: ['stdin'], name: 'SCRIPT' },
  ]);
});

test('puts texts in their place and changes nothing else', () => {
  const details = { command: ['psql'], environment: { PASSWORD: { secret: 'DB' }, USER: 'app' } };

  const filled = fillSecretReferences(details, findSecretReferences(places, details), ['pw']);

  expect(filled).toEqual({ command: ['psql'], environment: { PASSWORD: 'pw', USER: 'app' } });
  expect(details.environment.PASSWORD).toEqual({ secret: 'DB' });
});

test.each<[Json, string]>([
  [{ secret: 'A B' }, `"A B" can't name a secret: a name is a letter or "_", then`],
  [{ secret: '../etc/passwd' }, `"../etc/passwd" can't name a secret`],
  [{ secret: 'x'.repeat(129) }, 'at most 128'],
  [{ secret: '{{NAME}}' }, 'placeholders are not filled in here'],
  [{ secret: 5 }, 'expected the name of a secret'],
  [{ secret: 'DB', default: '' }, 'write { secret: NAME } without "default"'],
])('says what is wrong with %j', (reference, message) => {
  const issues: Issue[] = [];

  const found = findSecretReferences(places, { stdin: reference }, issues);

  expect(found).toEqual([]);
  expect(issues).toHaveLength(1);
  expect(issues.map(describeIssue)[0]).toMatch(/^stdin: /);
  expect(issues[0]?.message).toContain(message);
});
