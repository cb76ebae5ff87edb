import { maxNodes, type Steps } from '@runnel/core';
import { defaultMaxEdges, type ExpandOptions } from './expand.ts';
import { type IssueList, maxIssues, type Path } from './issue-list.ts';
import type { PieceParser } from './piece-parser.ts';
import type { ByteRange } from './plain-reader.ts';
import type { RunHead } from './schema.ts';
import { planSingles, type SinglePlan } from './single-plan.ts';
import { SingleReader } from './single-reader.ts';
import { checkWebhooks } from './webhooks.ts';

export interface ReadingContext {
  readonly head: RunHead;
  readonly options: ExpandOptions;
  readonly issues: IssueList;
  readonly parser: PieceParser;
  /** A task has a field that goes only with parameters. */
  onExpanding(path: Path): void;
}

/** Takes single tasks until all have come or it is clear that they are too many, or too wrong. */
export class SingleReading {
  readonly #context: ReadingContext;
  readonly #reader: SingleReader;
  readonly #maxTasks: number;
  readonly #maxEdges: number;
  #isDecided = false;
  #isOverLimit = false;

  constructor(context: ReadingContext) {
    const { head, options, issues, parser, onExpanding } = context;
    const { executors, pools, source = null, limits } = options;
    const { maxProduct } = limits;
    this.#context = context;
    checkWebhooks(head.webhooks, options.refuseWebhook, issues);
    this.#maxTasks = Math.min(limits.maxTasks, maxNodes);
    this.#maxEdges = limits.maxEdges ?? defaultMaxEdges;
    this.#reader = new SingleReader({
      ...{ head, executors, pools, source, maxProduct, issues, parser, onExpanding },
      maxTasks: this.#maxTasks,
    });
  }

  /** True where what is still to come changes nothing: the spec is refused. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** True where there are too many tasks or edges. */
  get isOverLimit(): boolean {
    return this.#isOverLimit;
  }

  /** Takes the text of the task that stands at `key`; `parse` notes what is wrong and gives undefined. */
  take(key: number, range: ByteRange, parse: () => unknown): void {
    this.#reader.acceptText(key, range, parse);
    const { count, refCount } = this.#reader.tasks;
    if (count > this.#maxTasks) {
      this.#refuse(`the run has ${count} tasks or more, over the limit of ${this.#maxTasks}`);
    }
    if (refCount > this.#maxEdges) {
      this.#refuse(`the run has ${refCount} edges or more, over the limit of ${this.#maxEdges}`);
    }
    if (this.#context.issues.count >= maxIssues) this.#isDecided = true;
  }

  #refuse(message: string): void {
    this.#context.issues.add(['tasks'], message);
    this.#isOverLimit = true;
    this.#isDecided = true;
  }

  /** Null where something is wrong, which is noted. */
  *plan(): Steps<SinglePlan | null> {
    const { head, issues } = this.#context;
    const { tasks } = this.#reader;
    return yield* planSingles(tasks, { head, maxEdges: this.#maxEdges, issues });
  }
}
