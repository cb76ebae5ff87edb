const durationUnits = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;

const sizeUnits = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/**
 * Milliseconds of `500ms`, `30s`, `10m`, `1.5h`, `7d` or `2w`.
 *
 * @throws RangeError with what would be right; a bare number has two readings and is refused.
 */
export function parseDuration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim());
  const amount = Number(found?.[1]);
  const unit = found?.[2];
  // None of anything is the same in every unit.
  if (unit === '' && amount === 0) return 0;
  if (unit === '') {
    throw new RangeError(`has no unit: write "${text}s" for seconds or "${text}ms"`);
  }
  const factor = lookUp(durationUnits, unit);
  if (factor === undefined) {
    throw new RangeError('must be a duration such as "500ms", "30s", "10m", "2h" or "7d"');
  }
  return Math.round(amount * factor);
}

/**
 * Bytes of `65536`, `64KB`, `64MB` or `1.5GB`; a unit is 1024 times the one before it.
 *
 * @throws RangeError with what would be right.
 */
export function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = (found?.[2] ?? '?').toUpperCase().replace(/^([KMG])(?:IB)?$/, '$1B');
  const factor = unit === '' ? 1 : lookUp(sizeUnits, unit);
  if (factor === undefined) {
    throw new RangeError('must be a size such as "65536", "64KB", "64MB" or "1GB"');
  }
  return Math.round(Number(found?.[1]) * factor);
}

/** `90m` rather than `1.5h`: the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  return formatIn(durationUnits, ms);
}

export function formatSize(bytes: number): string {
  return formatIn(sizeUnits, bytes);
}

function formatIn(units: Readonly<Record<string, number>>, amount: number): string {
  const fitting = Object.entries(units).filter(([, factor]) => amount % factor === 0);
  const [unit, factor] = (amount === 0 ? fitting[0] : fitting.at(-1)) ?? ['', 1];
  return `${amount / factor}${unit}`;
}

function lookUp(units: Readonly<Record<string, number>>, unit: string | undefined) {
  return unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
}
