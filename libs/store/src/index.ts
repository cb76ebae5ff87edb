export { checkRedis, type RedisDemands } from './check-redis.ts';
export { Chores } from './chores.ts';
export { encodeHead, encodeSpec, type SpecRecord, type StoredGroup } from './chunks.ts';
export { connectRedis, connectRedisForRequests, parseInfo } from './connect.ts';
export {
  deleteRun,
  type Removal,
  readAbandoned,
  readEndedBefore,
  removeRun,
} from './delete-run.ts';
export { type ClaimAnswer, claim, handBack, type Refusal, readDeliveries } from './deliveries.ts';
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
export { estimateBytes } from './estimate-size.ts';
export {
  type FeedEvent,
  type FeedPage,
  type RunEvent,
  readEvents,
  readFeedPage,
  readLastEvent,
  type TaskEvent,
} from './events.ts';
export {
  type FailedHook,
  type FailedHookPosition,
  type HookRetryAnswer,
  listFailedHooks,
  retryFailedHook,
} from './failed-hooks.ts';
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
export {
  cancelChannel,
  pauseChannel,
  readyKeyDoc,
  runChannel,
  runKeyDocs,
  shardCount,
  shardKeyDocs,
  shardOf,
  storeKeyDocs,
} from './keys.ts';
export { listRuns, type RunPosition, type RunQuery } from './list-runs.ts';
export { listableStates, listTasks, type TaskQuery } from './list-tasks.ts';
export { type LogTail, readLog, writeLog } from './logs.ts';
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
  bytesOf,
  type Delivery,
  decodeDelivery,
  decodeExtras,
  decodeOutcome,
  encodeExtras,
  encodeOutcome,
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
  type ClassCounts,
  type RunSummary,
  readClasses,
  readRun,
  readRuns,
  type StateCounts,
} from './read-run.ts';
export { openSpec, type SpecText } from './read-spec.ts';
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
export { type RedisMemory, readMemory } from './redis-facts.ts';
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
export { type OpenRunHandle, type RunHandle, runHandle, shardHandle } from './run-handle.ts';
export {
  groupAt,
  type PlannedTask,
  type RunFacts,
  RunInfo,
  RunInfoCache,
  readRunFacts,
} from './run-info.ts';
export type { GroupRoute } from './run-parts.ts';
export type { RedisClient } from './script.ts';
export * as allScripts from './scripts.ts';
export { startRun, type TurnAnswer } from './scripts.ts';
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
export { type NewRun, type StoreAnswer, storeRun } from './store-run.ts';
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
