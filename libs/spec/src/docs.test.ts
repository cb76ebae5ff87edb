import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { issuesOf } from './expand.test-kit.ts';

const page = readFileSync(new URL('../../../docs/spec.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

test('docs/spec.md has examples', () => {
  expect(examples.length).toBeGreaterThan(5);
});

test.each(examples)('an example of docs/spec.md is a spec: %s', (text) => {
  expect(issuesOf(text)).toEqual([]);
});
