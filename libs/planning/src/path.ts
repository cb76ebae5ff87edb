/** Neighbouring tasks of one class on the path, together. */
export interface PathPart {
  readonly class: string;
  readonly tasks: number;
  /** Their last attempts. */
  readonly runMs: number;
  /** From the last time that they were ready to their start: for a slot. */
  readonly slotMs: number;
  /** Attempts that failed before, and the delays after them. */
  readonly retryMs: number;
}

export interface PathSource {
  readonly last: number;
  readonly releaser: Uint32Array;
  /** In `releaser`: there was none. */
  readonly none: number;
  readonly times: Readonly<Record<'ready' | 'start' | 'end', Float64Array>>;
  /** Null for barriers. */
  classOf(node: number): string | null;
}

interface OpenPart {
  class: string;
  tasks: number;
  runMs: number;
  slotMs: number;
  retryMs: number;
}

/** From the task that ended last back through those that released one another. */
export function tracePath(source: PathSource): readonly PathPart[] {
  const { releaser, none, times } = source;
  const parts: OpenPart[] = [];
  for (let node = source.last; node !== none; node = releaser[node] ?? none) {
    const name = source.classOf(node);
    if (name === null) continue;
    const releasedBy = releaser[node] ?? none;
    const releasedAt = releasedBy === none ? 0 : (times.end[releasedBy] ?? 0);
    const ready = times.ready[node] ?? 0;
    const start = times.start[node] ?? 0;
    let part = parts.at(-1);
    if (part?.class !== name) {
      part = { class: name, tasks: 0, runMs: 0, slotMs: 0, retryMs: 0 };
      parts.push(part);
    }
    part.tasks++;
    part.runMs += (times.end[node] ?? 0) - start;
    part.slotMs += start - ready;
    part.retryMs += ready - releasedAt;
  }
  return parts.reverse();
}
