import { expect, test } from 'vitest';
import { readPages, tellMore } from './read-pages.ts';

/** Answers as the API does: `next` is where the following page begins. */
function pagesOf(count: number) {
  const asked: number[] = [];
  const read = async ({ limit, cursor = '0' }: { limit: number; cursor?: string }) => {
    asked.push(limit);
    const to = Math.min(count, Number(cursor) + limit);
    const rows = Array.from({ length: to - Number(cursor) }, (_, at) => Number(cursor) + at);
    return { rows, next: to < count ? String(to) : null };
  };
  return { asked, read };
}

test('reads as many rows as are wanted, a page at a time', async () => {
  const { asked, read } = pagesOf(1_000);

  const { rows, hasMore } = await readPages({ limit: 450, perPage: 200 }, read);

  expect(rows).toEqual(Array.from({ length: 450 }, (_, at) => at));
  expect(hasMore).toBe(true);
  expect(asked).toEqual([200, 200, 50]);
});

test('ends where there are no more, also behind a page without rows', async () => {
  const pages = [
    { rows: [], next: 'a' },
    { rows: [1], next: null },
  ];

  const answer = await readPages({ limit: 5, perPage: 5 }, async ({ cursor }) => {
    const page = pages[cursor === undefined ? 0 : 1];
    if (page === undefined) throw new Error('no such page');
    return page;
  });

  expect(answer).toEqual({ rows: [1], hasMore: false });
});

test('says how to see more, as far as the command goes', () => {
  expect(tellMore(20)).toContain('--limit 10000');
  expect(tellMore(10_000)).toContain('API');
});
