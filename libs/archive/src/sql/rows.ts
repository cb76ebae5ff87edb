import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import type { ArchivedCopy, ArchivedRun } from '../archive.ts';
import { isSameRecord } from '../same-record.ts';
import { bytesOf, numberOf, type SqlRow, textOf } from './session.ts';

const kept = z.object({
  record: z.record(z.string(), z.string()),
  classes: z.string().nullable(),
});

/** What of a run nothing is searched by. */
export function encodeRecord({ record, classes }: ArchivedRun): Uint8Array {
  return packText(JSON.stringify({ record, classes }));
}

export function packText(text: string): Uint8Array {
  return zstdCompressSync(text);
}

export function unpackText(row: SqlRow, column: string): string {
  return zstdDecompressSync(bytesOf(row, column)).toString();
}

/** Whether a row's copy is of the very record that a run has. */
export function isOfRecord(row: SqlRow, { record }: ArchivedRun): boolean {
  return isSameRecord(readKept(row).record, record);
}

function readKept(row: SqlRow): z.infer<typeof kept> {
  return kept.parse(JSON.parse(unpackText(row, 'record')));
}

const tagsOf = z.record(z.string(), z.string());

/** Columns of a run with its copy; `runs` and `copies` are joined. */
export const runColumns =
  'runs.id, runs.created, runs.started, runs.ended, runs.state, runs.name, runs.tags, runs.tasks, ' +
  'runs.priority, runs.revision, runs.part_count, runs.copy, copies.record';

export function toRun(row: SqlRow): ArchivedCopy {
  const { record, classes } = readKept(row);
  const { started } = row;
  const run: ArchivedRun = {
    id: textOf(row, 'id'),
    name: record['name'] ?? null,
    tags: tagsOf.parse(JSON.parse(record['tags'] ?? '{}')),
    state: textOf(row, 'state'),
    createdAt: numberOf(row, 'created'),
    startedAt: typeof started === 'number' ? started : null,
    endedAt: numberOf(row, 'ended'),
    taskCount: numberOf(row, 'tasks'),
    priority: numberOf(row, 'priority'),
    revision: numberOf(row, 'revision'),
    record,
    classes,
  };
  return { run, copy: numberOf(row, 'copy'), partCount: numberOf(row, 'part_count') };
}

export function readTags(row: SqlRow): Readonly<Record<string, string>> {
  return tagsOf.parse(JSON.parse(textOf(row, 'tags')));
}
