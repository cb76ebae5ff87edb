/** Time as epoch milliseconds, passed in so that tests need not sleep. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
