export { checkSection } from './archive/check-section.ts';
export {
  copyRun,
  keepRun,
  readRecord,
  standOf,
  touchCopy,
} from './archive/copy-run.ts';
export { readMovable } from './archive/read-movable.ts';
export { readSections } from './archive/read-sections.ts';
export { decodeSections, encodeSection, type RunSection } from './archive/sections.ts';
export {
  cancelChannel,
  cancelTasksChannel,
  editChannel,
  pauseChannel,
  runChannel,
} from './channels.ts';
export { checkRedis, type RedisDemands } from './check-redis.ts';
export { Chores } from './chores.ts';
export { encodeHead, encodeSpec, type SpecRecord, type StoredGroup } from './chunks.ts';
export { connectRedis, connectRedisForRequests, parseInfo } from './connect.ts';
export {
  type DeletedRun,
  deleteRun,
  forgetDeleted,
  mostQueues,
  type Removal,
  readAbandoned,
  readDeleted,
  readEndedBefore,
  readExpiredCopies,
  removeRun,
  wasDeleted,
} from './delete-run.ts';
export {
  type ClaimAnswer,
  claim,
  editPollMs,
  handBack,
  type Refusal,
  readDeliveries,
} from './deliveries.ts';
export {
  type BacklogEntry,
  decodeBacklogEntry,
  decodeReadyEntry,
  type ReadyEntry,
} from './doctor/backlog.ts';
export { type RunAudit, readAudit } from './doctor/read-audit.ts';
export {
  allShards,
  type RunPlaces,
  type RunSet,
  readListeners,
  readNewestRuns,
  readOldestOutcomeAge,
  readRunPlaces,
  readShardAudit,
  readTimesOf,
  runSets,
  type ShardAudit,
} from './doctor/read-shard.ts';
export {
  type GroupFacts,
  type ParentBlock,
  readChildAt,
  readGroupIndex,
  readParentBlocks,
  readWords,
  readWordsOf,
} from './doctor/read-structure.ts';
export { edgeFlags, isDecided, verdictOf } from './doctor/rules.ts';
export { type CarriedNodes, copyChunks, readCarried } from './edit/carried-nodes.ts';
export { type EditParts, listEditParts } from './edit/edit-parts.ts';
export {
  type EditToken,
  editorGoneMs,
  freezeRun,
  goOnWithEdit,
  type Swap,
  swapIn,
} from './edit/edit-protocol.ts';
export { type FrozenState, type NextState, readFrozen, writeState } from './edit/edit-state.ts';
export {
  planPayloads,
  type RunStructure,
  readPayloads,
  readStateBytes,
  readStructure,
} from './edit/read-revision.ts';
export { type Revision, readRevisions } from './edit/read-revisions.ts';
export { dropShadow, openShadow, type Shadow, writeParts } from './edit/shadow.ts';
export { estimateBytes } from './estimate-size.ts';
export {
  encodeTold,
  type FeedEvent,
  type FeedPage,
  type PartEvent,
  type RunEvent,
  readEvents,
  readFeedPage,
  readLastEvent,
  readLastEventTime,
  type TaskEvent,
} from './events.ts';
export {
  type FailedHook,
  type FailedHookPosition,
  type HookRetryAnswer,
  listFailedHooks,
  readFailedHook,
  retryFailedHook,
} from './failed-hooks.ts';
export { type AppendAnswer, type AppendRequest, appendSet } from './growth/append-set.ts';
export type { Reuse } from './growth/carry-results.ts';
export {
  findSetOf,
  type GeneratedRecord,
  isInSpans,
  type NodeSpan,
  readGenerated,
  readGeneratedBy,
  readReplaced,
  spansOf,
} from './growth/generated-sets.ts';
export {
  type LaterEdges,
  readLaterChildren,
  readLaterParents,
} from './growth/later-edges.ts';
export { type NewSet, placeOf, type SetPlan, withNode } from './growth/new-set.ts';
export { readStoredSet, type StoredSet } from './growth/read-set.ts';
export {
  delayHooks,
  type GivenUp,
  type HookLane,
  type HookLaneState,
  type HookMove,
  type HookPlan,
  type HookStanding,
  moveLane,
  putHooksAside,
  readDueHooks,
  readHookStanding,
} from './hooks.ts';
export { revisionKey, shardCount, shardOf } from './keys.ts';
export { listableStates, listTasks, type TaskQuery } from './list-tasks.ts';
export { type LogTail, readLog, readTaskLogs, writeLog } from './logs.ts';
export { type OpenTasks, readOpenTasks } from './open-tasks.ts';
export {
  acknowledgeOutcomes,
  appendOutcomes,
  buryOutcome,
  compareEntryIds,
  type NewOutcomeEntry,
  nudge,
  type OutcomeEntry,
  openOutcomes,
  readNewOutcomes,
  readOutcomesPosition,
  readPendingOutcomes,
  type ShardEntries,
} from './outcomes.ts';
export {
  type AttemptRecord,
  attemptBytes,
  bytesOf,
  type Delivery,
  decodeDelivery,
  decodeExtras,
  decodeOutcome,
  encodeDelivery,
  encodeExtras,
  encodeOutcome,
  encodeReadyEntry,
  finalStateOf,
  isClaimed,
  type OutboxEntry,
  type OutcomeExtra,
  type OutcomeRecord,
  outcomeBytes,
  stateCode,
  tokenBytes,
  toUint32,
} from './packed.ts';
export {
  type CancelPage,
  type CancelRecord,
  cancelPage,
  changePaused,
  findCancelling,
  hasPausedParts,
  mostPaused,
  type Paused,
  type PausedParts,
  readCancels,
  readPaused,
  startCancel,
} from './parts.ts';
export { type EndedAttempt, readAttempts } from './read-attempts.ts';
export { readChildrenOf } from './read-edges.ts';
export { entriesPerPage, readEntryPage } from './read-entries.ts';
export {
  type ClassCounts,
  type RunSummary,
  readClasses,
  readRun,
  readRuns,
  type StateCounts,
  summaryOfRecord,
} from './read-run.ts';
export { joinTasks, openSpec, type SpecText } from './read-spec.ts';
export {
  type FailureRecord,
  failureRecord,
  findTask,
  readOutputs,
  readParents,
  readStates,
  readTask,
  summarize,
  type TaskDetail,
  type TaskSummary,
} from './read-tasks.ts';
export {
  isRedisFull,
  type RedisMemory,
  readMemory,
  tellRoom,
  usableBytes,
} from './redis-facts.ts';
export { type Fence, fenceOf, NotReplicatedError, noFence } from './replica-fence.ts';
export {
  closeRetry,
  fateOf,
  type RetrySource,
  readBases,
  readRetrySource,
  retryPage,
  startRetry,
} from './retry.ts';
export { withDescendants } from './retry-closure.ts';
export { type RunFacts, readRunFacts } from './run-facts.ts';
export { type OpenRunHandle, type RunHandle, runHandle, shardHandle } from './run-handle.ts';
export { groupAt, type PlannedTask, RunChangedError, RunInfo } from './run-info.ts';
export { RunInfoCache } from './run-info-cache.ts';
export { readyKeyDoc, revisionKeyDoc, runKeyDocs } from './run-keys.ts';
export {
  findNumberedRun,
  forgetGoneNumbers,
  type ListedRun,
  listAllRuns,
  listNumberedRuns,
  numberRuns,
  readRunNumbers,
} from './run-numbers.ts';
export type { GroupRoute } from './run-parts.ts';
export type { RedisClient } from './script.ts';
export * as allScripts from './scripts.ts';
export { startRun, type TurnAnswer } from './scripts.ts';
export { LiveRuns, type RunPage, type RunQuery } from './search/live-runs.ts';
export { matches, type RunFilter, type TagFilter } from './search/run-filter.ts';
export { newestFirst, type RunPosition } from './search/walk-runs.ts';
export {
  type Demand,
  type DueTask,
  dropTimes,
  freeShard,
  leaseMs,
  leaseShard,
  openStore,
  readActiveRuns,
  readDemand,
  readDue,
  signOffListener,
  signOnListener,
} from './shards.ts';
export { shardKeyDocs, storeKeyDocs } from './store-keys.ts';
export { type NewRun, type StoreAnswer, storeRun } from './store-run.ts';
export { buildChildren, type Children } from './structure.ts';
export {
  haltPage,
  type QueueShare,
  reissue,
  release,
  type Settlement,
  setPaused,
  type Turn,
  takeTurn,
} from './turns.ts';
export { type DeadOutcomes, readDeadOutcomes } from './why/dead-letters.ts';
export { findFailed } from './why/find-failed.ts';
export { NodePages } from './why/node-pages.ts';
export { type RunMoment, readMoment } from './why/read-moment.ts';
export { readNextDue } from './why/read-next-due.ts';
export {
  readWorkerNames,
  readWorkers,
  signOff,
  signOn,
  sumSlots,
  takeWorkerNumber,
  type WorkerRecord,
  workerGoneMs,
} from './workers.ts';
