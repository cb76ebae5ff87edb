import { defineFunction } from '@runnel/executors';
import { z } from 'zod';

const estimate = z.strictObject({ darts: z.int(), inside: z.int(), pi: z.number() });

/** Throws darts at a square and counts those in the quarter of a circle. */
export const throwDarts = defineFunction({
  name: 'throw-darts',
  input: z.strictObject({ seed: z.int(), darts: z.int().positive() }),
  output: estimate,
  run: ({ seed, darts }, { log }) => {
    const next = startRandom(seed);
    let inside = 0;
    for (let dart = 0; dart < darts; dart++) {
      if (next() ** 2 + next() ** 2 <= 1) inside += 1;
    }
    log(`${inside} of ${darts} darts are inside`);
    return { darts, inside, pi: (4 * inside) / darts };
  },
});

/** The mean of several estimates, and how far they are apart. */
export const averageDarts = defineFunction({
  name: 'average-darts',
  input: z.strictObject({ estimates: z.array(estimate).min(1) }),
  output: z.strictObject({ darts: z.int(), mean: z.number(), spread: z.number() }),
  run: ({ estimates }) => {
    const values = estimates.map(({ pi }) => pi);
    return {
      darts: estimates.reduce((total, { darts }) => total + darts, 0),
      mean: values.reduce((total, value) => total + value, 0) / values.length,
      spread: Math.max(...values) - Math.min(...values),
    };
  },
});

/** The best estimate: that of the most darts. */
export const pickBest = defineFunction({
  name: 'pick-best',
  input: z.strictObject({
    averages: z.array(z.object({ darts: z.int(), mean: z.number() })).min(1),
  }),
  output: z.strictObject({ pi: z.number(), darts: z.int(), error: z.number() }),
  run: ({ averages }) => {
    const best = averages.reduce((most, one) => (one.darts > most.darts ? one : most));
    return { pi: best.mean, darts: best.darts, error: Math.abs(best.mean - Math.PI) };
  },
});

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32), so a second try agrees. */
function startRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
