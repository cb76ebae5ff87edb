import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { redisKeysPage } from './redis-keys-page.ts';

test('docs/redis-keys.md is what the tables of keys say', () => {
  const page = readFileSync(new URL('../docs/redis-keys.md', import.meta.url), 'utf8');

  expect(page).toBe(redisKeysPage());
});
