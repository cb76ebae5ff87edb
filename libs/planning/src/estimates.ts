/** How long an attempt takes: half of them at most `p50Ms`, 95 of 100 at most `p95Ms`. */
export interface Durations {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** What is assumed of each class. */
export interface Estimates {
  duration(className: string): Durations;
  /** Share of attempts that fail, 0 to 1. */
  failureRate(className: string): number;
}

/** The 95th percentile of the standard normal distribution. */
const z95 = 1.6448536269514722;

/**
 * Log-normal, the usual shape of how long tasks take: most take about the same, a few much longer.
 * `draws` are two numbers evenly spread over (0, 1).
 */
export function fitDuration({ p50Ms, p95Ms }: Durations, draws: readonly [number, number]): number {
  if (p95Ms <= p50Ms || p50Ms <= 0) return p50Ms;
  const sigma = Math.log(p95Ms / p50Ms) / z95;
  return p50Ms * Math.exp(sigma * normalOf(draws));
}

/** Box and Muller (1958). */
function normalOf([first, second]: readonly [number, number]): number {
  return Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
}

/**
 * A number in (0, 1) for the `use`th question about an attempt, always the same for the same seed: what
 * is simulated under other conditions has the same luck. (The finalizer of MurmurHash3, Appleby 2011.)
 */
export function drawOf(seed: number, node: number, attempt: number, use: number): number {
  let hash = mix(seed ^ mix(node + 0x9e_37_79_b9));
  hash = mix(hash ^ mix(attempt * 4 + use + 0x85_eb_ca_6b));
  return ((hash >>> 0) + 0.5) / 0x1_00_00_00_00;
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return hash ^ (hash >>> 16);
}
