import type { ArchivedRun } from '../archive.ts';
import { searchable } from './searchable.ts';
import { numberOf, type SqlSession, textOf } from './session.ts';

/** What a run can be found by: every run, its state, its name, each of its tags. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

export const everyRun: Label = { key: 'run', value: '' };
export const tagPrefix = 'tag:';

export function tagLabel(key: string): string {
  return searchable(`${tagPrefix}${key}`);
}

/** The tags of a run as they are kept in its row. Keys that are searched by the same text are one tag. */
export function searchableTags(
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(tags).map(([key, value]) => [searchable(key), searchable(value)]);
  return Object.fromEntries(entries);
}

type Labelled = Pick<ArchivedRun, 'name' | 'state' | 'tags' | 'id' | 'createdAt'>;

export function labelsOf(run: Omit<Labelled, 'id' | 'createdAt'>): readonly Label[] {
  const labels: Label[] = [everyRun, { key: 'state', value: run.state }];
  if (run.name !== null) labels.push({ key: 'name', value: searchable(run.name) });
  for (const [key, value] of Object.entries(searchableTags(run.tags))) {
    labels.push({ key: tagLabel(key), value });
  }
  // In one order everywhere, so that two processes never wait for each other's rows.
  const sorted = labels.sort((a, b) => compare(a.key, b.key) || compare(a.value, b.value));
  return sorted.filter(({ key, value }, index) => {
    const before = sorted[index - 1];
    return before?.key !== key || before.value !== value;
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export async function addLabels(session: SqlSession, run: Labelled): Promise<void> {
  for (const { key, value } of labelsOf(run)) {
    const [row] = await session.all(
      `insert into label_values (key, value, runs) values ($1, $2, 1)
       on conflict (key, value) do update set runs = label_values.runs + 1 returning label`,
      key,
      value,
    );
    if (row === undefined) throw new Error('a label was not written');
    await session.all(
      'insert into labels (label, created, id) values ($1, $2, $3) on conflict do nothing',
      numberOf(row, 'label'),
      run.createdAt,
      run.id,
    );
  }
}

export async function removeLabels(session: SqlSession, run: Labelled): Promise<void> {
  for (const { key, value } of labelsOf(run)) {
    const [row] = await session.all(
      'update label_values set runs = runs - 1 where key = $1 and value = $2 returning label, runs',
      key,
      value,
    );
    if (row === undefined) continue;
    const label = numberOf(row, 'label');
    await session.all(
      'delete from labels where label = $1 and created = $2 and id = $3',
      label,
      run.createdAt,
      run.id,
    );
    if (numberOf(row, 'runs') > 0) continue;
    await session.all('delete from label_values where label = $1 and runs <= 0', label);
  }
}

/** The first text behind all that begin so; null: there is none. */
export function afterPrefix(prefix: string): string | null {
  const points = [...prefix].map((letter) => letter.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no characters of their own.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return String.fromCodePoint(...points, next);
  }
  return null;
}

/** A value of a label, how many runs have it, and where its runs are listed. */
export interface FoundLabel {
  readonly label: number;
  readonly value: string;
  readonly runs: number;
}

export async function findLabels(
  session: SqlSession,
  request: { readonly key: string; readonly prefix: string; readonly limit: number },
): Promise<readonly FoundLabel[]> {
  const end = afterPrefix(request.prefix);
  const rows = await session.all(
    `select label, value, runs from label_values where key = $1 and value >= $2
     ${end === null ? '' : 'and value < $4'} order by value limit $3`,
    ...[request.key, request.prefix, request.limit, ...(end === null ? [] : [end])],
  );
  return rows.map((row) => ({
    label: numberOf(row, 'label'),
    value: textOf(row, 'value'),
    runs: numberOf(row, 'runs'),
  }));
}
