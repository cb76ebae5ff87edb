export {
  type Archive,
  type ArchivedCopy,
  type ArchivedRun,
  type ArchivePage,
  type ArchivePart,
  type ArchiveQuery,
  ArchiveUnavailableError,
  type CopyKey,
  type KeptStatistics,
  type PruneRequest,
  type RunPosition,
  type Sealing,
  type TagTerm,
  type TagValue,
  type TagValuesRequest,
} from './archive.ts';
export { type OpenArchive, openArchive, sqlitePath } from './open-archive.ts';
export { isSameRecord } from './same-record.ts';
