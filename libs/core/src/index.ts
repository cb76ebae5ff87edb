export { retryDelayMs } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  defineExecutor,
  describeError,
  describeFailure,
  describeThrown,
  type SimpleExecutor,
  startDeadline,
} from './define-executor.ts';
export { type Durability, durabilities } from './durability.ts';
export {
  ConflictError,
  describeIssue,
  formatPath,
  type Issue,
  LimitError,
  NotFoundError,
  RevisionChangedError,
  SetupError,
  SpecError,
  UserError,
  unreachable,
} from './errors.ts';
export {
  type AbortCause,
  AttemptAbort,
  type Batch,
  type EndTask,
  type Executor,
  type ExecutorEnvironment,
  type Lane,
  type LogWriter,
  lanes,
  type OpenExecutor,
  signalOf,
  type TaskCancels,
  type TaskContext,
  type TaskInput,
} from './executor.ts';
export {
  armFailpoints,
  type Failpoint,
  FailpointError,
  failpoint,
  failpointNames,
} from './failpoints.ts';
export { isJsonObject, type Json, type JsonObject } from './json.ts';
export { keepNewest } from './keep-newest.ts';
export {
  type AttemptCancelled,
  type AttemptFailed,
  type AttemptResult,
  type AttemptSucceeded,
  maxOutputBytes,
  type Outcome,
  outcomes,
  type Reason,
  reasons,
} from './outcome.ts';
export {
  type EdgeRule,
  edgeCondition,
  edgeId,
  edgeRuleOf,
  edgeRules,
  type GeneratorDialect,
  type Group,
  generatorDialects,
  type InputShape,
  maxNodes,
  type On,
  ons,
  type Plan,
  packEdge,
  payloadChunk,
  type RetryPolicy,
  type RunIf,
  runIfs,
  silentOn,
  type TaskPayload,
} from './plan.ts';
export { plural } from './plural.ts';
export { type HostPort, parseRedisAddress, type RedisAddress } from './redis-address.ts';
export {
  beingEdited,
  beingSubmitted,
  noSuchClass,
  noSuchRun,
  noSuchTask,
  notEnded,
} from './run-errors.ts';
export { AttemptSecrets } from './secrets/attempt-secrets.ts';
export {
  describePlaces,
  fillSecretReferences,
  findSecretReferences,
  type SecretPlace,
  type SecretReference,
} from './secrets/secret-references.ts';
export {
  describeMissingSecret,
  isSecretName,
  SecretError,
  type SecretSource,
  secretNameRule,
} from './secrets/secret-source.ts';
export {
  type FinalRunState,
  type FinalTaskState,
  finalRunStates,
  finalTaskStates,
  isFinalRunState,
  isFinalTaskState,
  type OpenTaskState,
  openTaskStates,
  type RunState,
  runStates,
  type TaskState,
  taskStates,
} from './states.ts';
export { finishInTurns, finishSteps, type Steps } from './steps.ts';
export { suggest } from './suggest.ts';
export { composeTaskId, fnv1a64, fnv1a64Low, maxTaskIdBytes, taskId } from './task-id.ts';
export { betweenTexts, readTaskTexts } from './task-texts.ts';
export { sortByParents, sortWithoutCycles } from './topological.ts';
export {
  type AddressRules,
  type AllowedPlaces,
  addressRules,
  hostOf,
  parseAllowedPlaces,
} from './webhooks/address-rules.ts';
export { parseIp } from './webhooks/ip-address.ts';
export {
  defaultHookWords,
  findWebhookProblem,
  type HookWord,
  hookWords,
  maxWebhooks,
  runHookWords,
  taskHookWords,
  tellsTasks,
  type Webhook,
  webhookFields,
  webhookSchema,
} from './webhooks/webhook.ts';
export { type WhyCode, whyCodes } from './why.ts';
