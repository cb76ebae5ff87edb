import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { issuesOf, options } from './expand.test-kit.ts';
import { SpecLines } from './spec-lines.ts';

const page = readFileSync(new URL('../../../docs/spec.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

test('docs/spec.md has examples', () => {
  expect(examples.length).toBeGreaterThan(5);
});

test.each(examples)('an example of docs/spec.md is a spec: %s', (text) => {
  expect(issuesOf(text)).toEqual([]);
});

test('the lines of docs/spec.md are a spec', async () => {
  const [, text = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const spec = new SpecLines(options);

  await spec.write(Buffer.from(text));

  expect((await spec.end()).plan.nodeCount).toBe(3);
});
