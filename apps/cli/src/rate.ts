interface Sample {
  readonly atMs: number;
  readonly count: number;
}

/** Long enough to be calm, short enough to follow. */
const windowMs = 5_000;

/** How fast a count grows, over the last seconds. */
export class Rate {
  #samples: Sample[] = [];

  add(atMs: number, count: number): void {
    this.#samples.push({ atMs, count });
    const isOld = (sample: Sample | undefined): boolean =>
      sample !== undefined && sample.atMs < atMs - windowMs;
    // The newest of the old ones stays: the window begins there.
    while (isOld(this.#samples[1])) this.#samples.shift();
  }

  /** Per second; null where there is too little to tell. */
  get perSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 200) return null;
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000;
  }
}
