import type { AttemptSecrets, Json, TaskInput } from '@runnel/core';
import type { Delivery, PlannedTask, RunInfo, StoredGroup } from '@runnel/store';

/** A task of a delivery, by its place there, as an executor gets it. */
export interface PlacedTask {
  readonly place: number;
  readonly input: TaskInput<unknown>;
}

/** Puts together what an executor is told of one attempt. */
export function placeTask(
  claimed: {
    readonly info: RunInfo;
    readonly group: StoredGroup;
    readonly delivery: Pick<Delivery, 'isolated'>;
  },
  attempt: {
    readonly place: number;
    readonly number: number;
    readonly task: PlannedTask;
    readonly details: unknown;
    readonly inputs: Readonly<Record<string, Json>>;
    readonly secrets: AttemptSecrets;
  },
): PlacedTask {
  const { info, group, delivery } = claimed;
  const { place, task, details, inputs, secrets } = attempt;
  const { handle, name } = info.facts;
  return {
    place,
    input: {
      run: { id: handle.id, name },
      task: { id: task.id, number: task.number, class: group.class, attempt: attempt.number },
      idempotencyKey: `${handle.id}.${task.number}.${attempt.number}`,
      details,
      inputs,
      timeoutMs: group.timeoutMs,
      successExitCodes: group.successExitCodes,
      ...(group.generator === undefined ? {} : { generator: group.generator }),
      log: secrets,
      secret: (secret) => secrets.read(secret),
      isolated: delivery.isolated,
    },
  };
}
