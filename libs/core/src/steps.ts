/** Work that stops here and there so that others may have a turn, and returns its result at the end. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Goes through all of it at once. */
export function finishSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Short enough that an answer to somebody else is not noticeably late. */
const defaultTurnMs = 15;

/** Goes through it in turns; in between, the event loop serves others. */
export async function finishInTurns<Result>(
  steps: Steps<Result>,
  turnMs = defaultTurnMs,
): Promise<Result> {
  for (let turnEnds = performance.now() + turnMs; ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < turnEnds) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    turnEnds = performance.now() + turnMs;
  }
}
