export { type MoveContext, type Moved, moveRun, removeDeleted } from './archive/move-run.ts';
export { packParts, unpackParts } from './archive/pack-parts.ts';
export { copyStaysMs, sizeOfCopy, type TakeBackContext, takeBack } from './archive/take-back.ts';
export { cancelRun, findCancelled } from './cancel.ts';
export { cancelStep, cancelTasks } from './cancel-tasks.ts';
export { diagnose, type RepairContext, settleMs, type Treatment, treat } from './doctor/doctor.ts';
export { type DoctorContext, type Examination, examineRun } from './doctor/examine.ts';
export { type Finding, type FindingKind, findingKinds } from './doctor/finding.ts';
export { moveOutbox } from './doctor/move-outbox.ts';
export { countSeenTwice, watchShards } from './doctor/watch.ts';
export {
  type EditAnswer,
  type EditDone,
  editRun,
  type NewRevision,
  previewEdit,
} from './edit/edit-run.ts';
export { type Fate, fateNames, type RerunReason, rerunReasons } from './edit/fates.ts';
export { findUnwanted } from './edit/find-unwanted.ts';
export { Enqueuer } from './enqueue.ts';
export {
  type CloudEvent,
  type EventContext,
  type Told,
  toCloudEvents,
} from './events/cloud-events.ts';
export { DeliveryExecutor } from './execute.ts';
export type { ExecutorFacts, ExecutorPool } from './executors.ts';
export { explainMissing } from './explain-missing.ts';
export type { GeneratorTools } from './generate/join-run.ts';
export { LostDeliveries } from './lost.ts';
export { Pace } from './pace.ts';
export { type PauseAnswer, pauseRun, resumeRun } from './pause.ts';
export { pauseParts, resumeParts } from './pause-parts.ts';
export { type RetryAnswer, retryRun } from './retry.ts';
export { newRunId, runIdOfKey } from './run-id.ts';
export { RunNews } from './run-news.ts';
export type { ChangeContext, OpenSelector, PartAnswer, PartChange } from './select-open.ts';
export type { TaskSelector } from './select-tasks.ts';
export { prepareSettlement, type SettleContext } from './settle.ts';
export { Shares } from './shares.ts';
export { SlotTurns, type SlotTurnsOptions } from './slot-turns.ts';
export {
  KeyReusedError,
  routeOf,
  type Submission,
  type SubmitContext,
  type Submitted,
  type SubmittedSpec,
  startCreatedRun,
  submitRun,
} from './submit.ts';
export { HookDeliverer, type HookDelivererOptions } from './webhooks/deliver.ts';
export type { LaneResult } from './webhooks/lane.ts';
export { HookPoster, type HookPosterOptions } from './webhooks/post.ts';
export { maxTries } from './webhooks/tries.ts';
export type { JobFinder, WhyContext } from './why/look.ts';
export type { NamedTask, Reason } from './why/reason.ts';
export { abandonedMs } from './why/submission.ts';
export { type Why, whyRun, whyTask } from './why/why.ts';
export type {
  DeliveryEnd,
  DeliveryStart,
  TaskWatcher,
  WatchedDelivery,
  WorkerContext,
} from './worker-context.ts';
