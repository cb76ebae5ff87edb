import { SetupError } from '@runnel/core';
import { type SqlDatabase, type SqlDialect, textOf } from './session.ts';

/** Raised with every change of the tables. */
const version = '1';

/**
 * The tables. `copies` and `parts` hold what a run was in Redis; `runs` has a row for each that is visible.
 * `labels` has a row for each thing that a run can be found by, in the order of lists, so that a page
 * of any single one is a few steps in one index; `label_values` says what they are, and how many runs have it.
 */
function tables({ bytes, integer, counted, text }: SqlDialect): readonly string[] {
  return [
    `create table if not exists about (name ${text} primary key, value ${text} not null)`,
    `create table if not exists copies (
      copy ${integer} primary key, run ${text} not null, touched ${integer} not null,
      sealed ${integer} not null default 0, record ${bytes}, statistics ${bytes})`,
    `create index if not exists copies_unsealed on copies (touched) where sealed = 0`,
    `create table if not exists parts (
      copy ${integer} not null, number ${integer} not null, bytes ${bytes} not null)`,
    `create unique index if not exists parts_place on parts (copy, number)`,
    `create table if not exists runs (
      id ${text} primary key, created ${integer} not null, started ${integer}, ended ${integer} not null,
      state ${text} not null, name ${text}, tags ${text} not null, tasks ${integer} not null,
      priority ${integer} not null, revision ${integer} not null, part_count ${integer} not null,
      copy ${integer} not null)`,
    `create index if not exists runs_ended on runs (ended)`,
    `create table if not exists label_values (
      label ${counted}, key ${text} not null, value ${text} not null, runs ${integer} not null)`,
    `create unique index if not exists label_values_text on label_values (key, value)`,
    `create table if not exists labels (
      label ${integer} not null, created ${integer} not null, id ${text} not null,
      primary key (label, created, id))`,
  ];
}

/** Makes the tables where they are not there; refuses those of another version. */
export async function openTables(database: SqlDatabase, where: string): Promise<void> {
  await database.transaction(async (session) => {
    for (const statement of tables(database.dialect)) await session.all(statement);
    await session.all(
      `insert into about (name, value) values ('version', $1) on conflict (name) do nothing`,
      version,
    );
    const [row] = await session.all(`select value from about where name = 'version'`);
    const found = row === undefined ? 'none' : textOf(row, 'value');
    if (found === version) return;
    throw new SetupError(
      `the archive ${where} has layout ${found}; this version reads layout ${version}: ` +
        'name another one (RUNNEL_ARCHIVE), or use the version that made it',
    );
  });
}
