/** What the doctor can find: what it means, and what a repair does about it. */
export const findingKinds = {
  'count-wrong': {
    means:
      'A counter of the run differs from what it counts: figures are wrong, and the run may never end.',
    repair: 'corrects the counter',
  },
  'waiting-wrong': {
    means: 'A task does not know which of its parents have ended: it never starts, or too early.',
    repair: 'counts its parents again',
  },
  'task-lost': {
    means: 'A task could start, but is in no ready list and no delivery: it never starts.',
    repair: 'puts it on its ready list',
  },
  'halt-lost': {
    means: 'The run is being ended early, and nothing ends this task: the run never ends.',
    repair: 'ends it as cancelled',
  },
  'cancel-lost': {
    means: 'A task is being cancelled, and nobody has it: the run never ends.',
    repair: 'ends it as cancelled',
  },
  'state-invalid': {
    means: 'A task is in a state that does not exist here.',
    repair: 'makes it a task that has not ended',
  },
  'ready-twice': {
    means:
      'A task is in a ready list although it is there or in a delivery already: it would run twice.',
    repair: 'takes it out of the ready list',
  },
  'ready-ended': {
    means: 'A task is in a ready list although it has ended or is delayed: it would run again.',
    repair: 'takes it out of the ready list',
  },
  'ready-early': {
    means: 'A task is in a ready list although parents that it waits for have not ended.',
    repair: 'takes it out of the ready list',
  },
  'ready-malformed': {
    means: 'An entry of a ready list can not be read: no task behind it starts.',
    repair: 'drops the entry; tasks that were in it are put back',
  },
  'delivery-malformed': {
    means: 'A delivery can not be read: its tasks never end.',
    repair: 'drops the delivery; its tasks are put back on the ready list',
  },
  'delivery-empty': {
    means: 'A delivery has no open task: it holds a place in the window for nothing.',
    repair: 'closes the delivery',
  },
  'delivery-ended': {
    means: 'A delivery holds a task that has ended or is delayed: it would run again.',
    repair: "closes the task's place in the delivery",
  },
  'delivery-twice': {
    means: 'A task is in two deliveries: it runs twice.',
    repair: 'closes its place in the later delivery',
  },
  'delivery-lost': {
    means: 'A delivery is neither waiting nor active in BullMQ: nobody carries it out.',
    repair: 'gives it a new carrier, under which it starts again',
  },
  'outbox-late': {
    means:
      'A delivery was cut and did not get into BullMQ within 2 s: no listener looks after the run, or BullMQ refuses it.',
    repair: 'puts it into BullMQ',
  },
  'outbox-stale': {
    means: 'The outbox names a delivery that does not exist.',
    repair: 'drops the entry',
  },
  'backlog-malformed': {
    means:
      'An entry of ended tasks can not be read or contradicts their states: what depends on them never starts.',
    repair: 'drops the entry; children that it would have reached are counted again',
  },
  'delayed-lost': {
    means: 'A task waits for its next attempt, but for no time: it never comes.',
    repair: 'makes it due now',
  },
  'time-late': {
    means:
      'A time is over and its task was not released: no listener owns the shard, or the task is not delayed any more.',
    repair: 'drops the time where no task waits for it',
  },
  'run-misplaced': {
    means:
      'A run is missing in a set of its shard, or in one where it does not belong: nobody looks after it, or somebody does in vain.',
    repair: 'puts it where its state says',
  },
  'end-missed': {
    means: 'Every task has ended and the run has not.',
    repair: 'asks the listener for a turn of the run',
  },
  'demand-wrong': {
    means:
      "The count of runs that want slots of a queue is wrong: each run's share is too small or too large.",
    repair: 'corrects the count',
  },
  'shard-unowned': {
    means: 'No listener looks after this part of the store: its runs stand still.',
    repair: null,
  },
  'listener-missing': {
    means:
      'No listener is alive: nothing is settled but what workers settle themselves. Start one.',
    repair: null,
  },
  'stream-late': {
    means:
      'Outcomes wait to be settled for more than 15 s: the listener is away, behind, or fails on them (see its log).',
    repair: null,
  },
  'dead-letter': {
    means:
      'Outcomes could not be settled in five tries and were put aside; their tasks start again.',
    repair: null,
  },
  'worker-missing': {
    means: 'Tasks are ready for a queue that no worker serves. Start a worker with that pool.',
    repair: null,
  },
} as const satisfies Record<string, { readonly means: string; readonly repair: string | null }>;

export type FindingKind = keyof typeof findingKinds;

/** Something that is wrong, and how it is mended. */
export interface Finding {
  readonly kind: FindingKind;
  readonly run: string | null;
  readonly shard: number | null;
  readonly task: number | null;
  readonly carrier: number | null;
  readonly queue: string | null;
  /** What was found, in figures. */
  readonly detail: string;
  /** Null: nothing that a repair can do. */
  readonly mend: Mend | null;
}

/** One step of a repair, made from what was read. */
export type Mend =
  | { readonly by: 'counters'; readonly name: string; readonly difference: number }
  | {
      readonly by: 'task';
      readonly id: number;
      readonly state: number;
      readonly word: number;
      readonly newWord: number;
      /** 0: nothing more than the word. */
      readonly verdict: number;
    }
  | {
      readonly by: 'ready';
      readonly queue: number | 'parked';
      readonly entry: Buffer;
      readonly rest: Buffer;
      /** Null: malformed. */
      readonly group: number | null;
    }
  | {
      readonly by: 'delivery';
      readonly carrier: number;
      readonly raw: Buffer;
      readonly isMalformed: boolean;
      readonly places: readonly number[];
    }
  | { readonly by: 'reissue'; readonly carrier: number; readonly token: Buffer }
  | { readonly by: 'move-outbox'; readonly carrier: number }
  | { readonly by: 'drop-outbox'; readonly carrier: number }
  | { readonly by: 'drop-backlog'; readonly entry: Buffer }
  | { readonly by: 'times'; readonly id: number }
  | { readonly by: 'sets' }
  | { readonly by: 'turn' }
  | {
      readonly by: 'demand';
      readonly field: string;
      readonly seen: string;
      readonly right: number;
    };

type Place = Partial<Pick<Finding, 'run' | 'shard' | 'task' | 'carrier' | 'queue' | 'mend'>>;

/** Of one kind more are counted, not kept: memory stays bounded, and a repair comes again. */
const mostKept = 10_000;

/** Gathers findings, and what could not be looked at. */
export class Findings {
  all: Finding[] = [];
  readonly unchecked: string[] = [];
  omitted = 0;
  readonly #run: string | null;
  readonly #byKind = new Map<FindingKind, number>();

  constructor(run: string | null) {
    this.#run = run;
  }

  add(kind: FindingKind, detail: string, place: Place = {}): void {
    const count = this.#byKind.get(kind) ?? 0;
    this.#byKind.set(kind, count + 1);
    if (count >= mostKept) {
      this.omitted++;
      return;
    }
    const nowhere = { shard: null, task: null, carrier: null, queue: null, mend: null };
    this.all.push({ kind, detail, run: this.#run, ...nowhere, ...place });
  }

  /** Takes back what another finding says better. */
  drop(kind: FindingKind): void {
    this.all = this.all.filter((finding) => finding.kind !== kind);
  }
}

/** What makes a finding the same when it is looked for again: all but what a repair would do. */
export function keyOf({ kind, run, shard, task, carrier, queue, detail }: Finding): string {
  return [kind, run, shard, task, carrier, queue, detail].join('|');
}
