import type { ArchivedRun, ArchivePage, ArchiveQuery, RunPosition, TagTerm } from '../archive.ts';
import { afterPrefix, everyRun, type FoundLabel, findLabels, tagLabel } from './labels.ts';
import { runColumns, toRun } from './rows.ts';
import { searchable } from './searchable.ts';
import { numberOf, type SqlDatabase, type SqlRow, type SqlValue, textOf } from './session.ts';

/** Values that one term is followed through; with more the runs are looked at one by one. */
const mostLabels = 64;
/** With more values than that, but few runs, these runs are read and put in order. */
const fewRuns = 5_000;
/** Names that are compared with a text. */
const mostNames = 100_000;
/** Runs that one step looks at, where what leads it does not say everything. */
const runsPerStep = 1_024;
/** After so long the page is given as it is, with its `next`. */
const budgetMs = 10;

/** A condition of the query: the labels that fulfil it (null: too many), and what says so of a row. */
interface Term {
  readonly labels: readonly FoundLabel[] | null;
  condition(sql: Sql): string;
}

/**
 * A page of a search. The term that the fewest runs fulfil leads: its labels list runs in order, and
 * the other terms are asked of those rows alone. A step looks at a bounded number of runs.
 */
export async function findRuns(database: SqlDatabase, query: ArchiveQuery): Promise<ArchivePage> {
  const terms = await readTerms(database, query);
  if (terms.some(({ labels }) => labels?.length === 0)) return { runs: [], next: null };
  const lead = pickLead(terms) ?? { labels: await allRuns(database), condition: () => 'true' };
  const others = terms.filter((term) => term !== lead);
  const labels = lead.labels ?? [];
  const until = performance.now() + budgetMs;
  const runs: ArchivedRun[] = [];
  let after: RunPosition | null = query.after ?? null;
  for (;;) {
    const wanted = query.limit - runs.length;
    const perLabel = runsPerLabel(query, { others, labels, wanted });
    const step = await readCandidates(database, { query, after, labels, perLabel });
    const found = await readMatching(database, { query, others, step, wanted });
    runs.push(...found);
    if (runs.length === query.limit) return { runs, next: behind(found.at(-1), step) };
    if (step.next === null || performance.now() > until) return { runs, next: step.next };
    after = step.next;
  }
}

/** Where a page goes on whose last run is this one. */
function behind(last: ArchivedRun | undefined, step: Candidates): RunPosition | null {
  if (last === undefined) return step.next;
  const isLast = step.next === null && step.positions.at(-1)?.id === last.id;
  return isLast ? null : { createdAt: last.createdAt, id: last.id };
}

/** Where the lead says everything, just what is wanted. */
function runsPerLabel(
  query: ArchiveQuery,
  request: {
    readonly others: readonly Term[];
    readonly labels: readonly FoundLabel[];
    readonly wanted: number;
  },
): number {
  if (request.others.length === 0 && !hasEndRange(query)) return request.wanted;
  if (request.labels.length > mostLabels) return fewRuns;
  return Math.max(request.wanted, Math.ceil(runsPerStep / Math.max(1, request.labels.length)));
}

function hasEndRange({ endedSince, endedUntil }: ArchiveQuery): boolean {
  return endedSince !== undefined || endedUntil !== undefined;
}

async function allRuns(database: SqlDatabase): Promise<readonly FoundLabel[]> {
  return await findLabels(database, { key: everyRun.key, prefix: everyRun.value, limit: 1 });
}

/** The one that the fewest runs fulfil. */
function pickLead(terms: readonly Term[]): Term | undefined {
  const sizeOf = ({ labels }: Term): number =>
    labels === null ? Infinity : labels.reduce((sum, { runs }) => sum + runs, 0);
  const [first] = [...terms].sort((a, b) => sizeOf(a) - sizeOf(b));
  return first?.labels === null ? undefined : first;
}

async function readTerms(database: SqlDatabase, query: ArchiveQuery): Promise<readonly Term[]> {
  const terms: Promise<Term>[] = (query.tags ?? []).map((tag) => tagTerm(database, tag));
  const { state, name, text } = query;
  if (state !== undefined) terms.push(exactTerm(database, 'state', state));
  if (name !== undefined) terms.push(exactTerm(database, 'name', searchable(name)));
  if (text !== undefined) terms.push(textTerm(database, searchable(text)));
  return await Promise.all(terms);
}

async function exactTerm(
  database: SqlDatabase,
  key: 'state' | 'name',
  value: string,
): Promise<Term> {
  return {
    labels: await findExact(database, key, value),
    condition: (sql) => `runs.${key} = ${sql.add(value)}`,
  };
}

async function findExact(
  database: SqlDatabase,
  key: string,
  value: string,
): Promise<readonly FoundLabel[]> {
  const rows = await database.all(
    'select label, runs from label_values where key = $1 and value = $2',
    key,
    value,
  );
  return rows.map((row) => ({ label: numberOf(row, 'label'), value, runs: numberOf(row, 'runs') }));
}

async function tagTerm(database: SqlDatabase, tag: TagTerm): Promise<Term> {
  const key = tagLabel(tag.key);
  const wanted = searchable(tag.value);
  const of = (sql: Sql): string =>
    database.dialect.tagOf('runs.tags', sql.add(searchable(tag.key)));
  if (!tag.isPrefix) {
    return {
      labels: await findExact(database, key, wanted),
      condition: (sql) => `${of(sql)} = ${sql.add(wanted)}`,
    };
  }
  const found = await findLabels(database, { key, prefix: wanted, limit: fewRuns + 1 });
  const runs = found.reduce((sum, label) => sum + label.runs, 0);
  const isFew = found.length <= fewRuns && runs <= fewRuns;
  const end = afterPrefix(wanted);
  return {
    labels: found.length <= mostLabels || isFew ? found : null,
    condition(sql) {
      const from = `${of(sql)} >= ${sql.add(wanted)}`;
      return end === null ? from : `${from} and ${of(sql)} < ${sql.add(end)}`;
    },
  };
}

async function textTerm(database: SqlDatabase, text: string): Promise<Term> {
  const part = lowerAscii(text);
  const [beyond] = await database.all(
    `select label from label_values where key = 'name' order by value limit 1 offset ${mostNames}`,
  );
  const rows =
    beyond !== undefined
      ? null
      : await database.all(
          `select label, value, runs from label_values
           where key = 'name' and ${database.dialect.placeOf('$1', 'value')} > 0 limit ${mostLabels + 1}`,
          part,
        );
  return {
    labels: rows === null || rows.length > mostLabels ? null : rows.map(toLabel),
    condition: (sql) => `${database.dialect.placeOf(sql.add(part), 'runs.name')} > 0`,
  };
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function toLabel(row: SqlRow): FoundLabel {
  return {
    label: numberOf(row, 'label'),
    value: textOf(row, 'value'),
    runs: numberOf(row, 'runs'),
  };
}

/** The values of one statement. */
class Sql {
  readonly values: SqlValue[] = [];

  /** The place of a value in the statement. */
  add(value: SqlValue): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

interface Candidates {
  /** In order; all runs of the leading labels down to `next`. */
  readonly positions: readonly RunPosition[];
  /** Null: these are the last. */
  readonly next: RunPosition | null;
}

interface CandidateRequest {
  readonly query: ArchiveQuery;
  readonly after: RunPosition | null;
  readonly labels: readonly FoundLabel[];
  readonly perLabel: number;
}

/** The next runs of some labels, merged. What lies behind the end of a label that has more is left out. */
async function readCandidates(
  database: SqlDatabase,
  { query, after, labels, perLabel }: CandidateRequest,
): Promise<Candidates> {
  if (labels.length === 0) return { positions: [], next: null };
  const sql = new Sql();
  const range: string[] = [];
  if (query.since !== undefined) range.push(`created >= ${sql.add(query.since)}`);
  if (query.until !== undefined) range.push(`created <= ${sql.add(query.until)}`);
  if (after !== null) {
    range.push(`(created, id) < (${sql.add(after.createdAt)}, ${sql.add(after.id)})`);
  }
  if (labels.length > mostLabels) {
    return await readFew(database, { sql, range, labels, limit: perLabel });
  }
  const each = labels.map(({ label }, index) => {
    const conditions = [`label = ${sql.add(label)}`, ...range].join(' and ');
    return `select label, created, id from (select label, created, id from labels where ${conditions}
      order by label desc, created desc, id desc limit ${perLabel}) as part${index}`;
  });
  const rows = await database.all(each.join(' union all '), ...sql.values);
  const positions = rows.map(toPosition).sort(newestFirst);
  const byLabel = Map.groupBy(rows, (row) => numberOf(row, 'label'));
  const ends = [...byLabel.values()]
    .filter((own) => own.length === perLabel)
    .flatMap((own) => own.slice(-1).map(toPosition));
  const [next] = ends.sort(newestFirst);
  if (next === undefined) return { positions, next: null };
  return { positions: positions.filter((one) => newestFirst(one, next) <= 0), next };
}

/** The next runs of many labels that few runs have. */
async function readFew(
  database: SqlDatabase,
  request: {
    readonly sql: Sql;
    readonly range: readonly string[];
    readonly labels: readonly FoundLabel[];
    readonly limit: number;
  },
): Promise<Candidates> {
  const { sql, range, labels, limit } = request;
  const own = labels.map(({ label }) => label).join(',');
  const rows = await database.all(
    `select created, id from labels where ${[`label in (${own})`, ...range].join(' and ')}
     order by created desc, id desc limit ${limit}`,
    ...sql.values,
  );
  const positions = rows.map(toPosition);
  return { positions, next: positions.length === limit ? (positions.at(-1) ?? null) : null };
}

function toPosition(row: SqlRow): RunPosition {
  return { createdAt: numberOf(row, 'created'), id: textOf(row, 'id') };
}

function newestFirst(a: RunPosition, b: RunPosition): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

interface MatchRequest {
  readonly query: ArchiveQuery;
  readonly others: readonly Term[];
  readonly step: Candidates;
  readonly wanted: number;
}

/** Of the candidates those that fulfil the rest, in order. */
async function readMatching(
  database: SqlDatabase,
  { query, others, step, wanted }: MatchRequest,
): Promise<readonly ArchivedRun[]> {
  const sql = new Sql();
  const isFiltered = others.length > 0 || hasEndRange(query);
  const positions = isFiltered ? step.positions : step.positions.slice(0, wanted);
  if (positions.length === 0) return [];
  const ids = sql.add(JSON.stringify(positions.map(({ id }) => id)));
  const conditions = [`runs.id in (${database.dialect.textsOf(ids)})`];
  for (const term of others) conditions.push(term.condition(sql));
  if (query.endedSince !== undefined) conditions.push(`runs.ended >= ${sql.add(query.endedSince)}`);
  if (query.endedUntil !== undefined) conditions.push(`runs.ended <= ${sql.add(query.endedUntil)}`);
  const rows = await database.all(
    `select ${runColumns} from runs join copies on copies.copy = runs.copy
     where ${conditions.join(' and ')} order by runs.created desc, runs.id desc limit ${wanted}`,
    ...sql.values,
  );
  return rows.map((row) => toRun(row).run);
}
