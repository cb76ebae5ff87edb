export { Chores } from './chores.ts';
export { encodeSpec, type SpecRecord, type StoredGroup } from './chunks.ts';
export { checkRedis, connectRedis, connectRedisForRequests, parseInfo } from './connect.ts';
export { deleteRun, readAbandoned, readEndedBefore, removeRun } from './delete-run.ts';
export { type ClaimAnswer, claim, handBack, type Refusal, readDeliveries } from './deliveries.ts';
export {
  cancelChannel,
  readyKeyDoc,
  runChannel,
  runKeyDocs,
  shardCount,
  shardKeyDocs,
  shardOf,
  storeKeyDocs,
} from './keys.ts';
export { listRuns, type RunPosition, type RunQuery } from './list-runs.ts';
export { type LogTail, readLog, writeLog } from './logs.ts';
export {
  acknowledgeOutcomes,
  appendOutcomes,
  buryOutcome,
  compareEntryIds,
  findStuckShards,
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
  type Delivery,
  decodeExtras,
  decodeOutcome,
  encodeExtras,
  encodeOutcome,
  isClaimed,
  type OutboxEntry,
  type OutcomeExtra,
  type OutcomeRecord,
  outcomeBytes,
  stateCode,
  tokenBytes,
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
  listableStates,
  listTasks,
  readOutputs,
  readParents,
  readStates,
  readTask,
  type TaskDetail,
  type TaskQuery,
  type TaskSummary,
} from './read-tasks.ts';
export { type OpenRunHandle, type RunHandle, runHandle } from './run-handle.ts';
export {
  groupAt,
  type PlannedTask,
  type RunFacts,
  RunInfo,
  RunInfoCache,
  readRunFacts,
} from './run-info.ts';
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
export { type GroupRoute, type NewRun, type StoreAnswer, storeRun } from './store-run.ts';
export {
  haltPage,
  type QueueShare,
  reissue,
  release,
  type Settlement,
  type Turn,
  takeTurn,
} from './turns.ts';
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
