/** Rows that a command lists at most: what is longer is read with the API, page by page. */
export const mostRows = 10_000;

interface Page<T> {
  readonly rows: readonly T[];
  /** Null at the end. */
  readonly next: string | null;
}

/** So many rows, if there are, page by page: a page may have fewer than were asked for, even none. */
export async function readPages<T>(
  asked: { readonly limit: number; readonly perPage: number },
  read: (page: { readonly limit: number; readonly cursor?: string }) => Promise<Page<T>>,
): Promise<{ readonly rows: readonly T[]; readonly hasMore: boolean }> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(asked.perPage, asked.limit - rows.length);
    const page: Page<T> = await read(cursor === null ? { limit } : { limit, cursor });
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor !== null && rows.length < asked.limit);
  return { rows, hasMore: cursor !== null };
}

/** What to do where a list was cut off. */
export function tellMore(limit: number): string {
  if (limit < mostRows) return `… there are more: --limit ${mostRows} lists that many`;
  return '… there are more: ask for a part of them, or read them with the API';
}
