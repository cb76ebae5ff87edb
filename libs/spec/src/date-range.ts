const dayMs = 86_400_000;
const datePattern = /^\d{4}-\d{2}-\d{2}$/;
const stepPattern = /^([1-9]\d{0,4})(d|w|mo|y)$/;

/** Steps of a date range: days, or months (which differ in length). */
export interface DateStep {
  readonly days: number;
  readonly months: number;
}

/** Days since 1970 of a date such as `2024-02-29`; null where there is no such date. */
export function parseDate(text: string): number | null {
  if (!datePattern.test(text)) return null;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || formatDate(ms / dayMs) !== text ? null : ms / dayMs;
}

/** `1d`, `2w`, `1mo`, `1y`; null for anything else. */
export function parseDateStep(text: string): DateStep | null {
  const match = stepPattern.exec(text);
  if (match === null) return null;
  const count = Number(match[1]);
  switch (match[2]) {
    case 'd':
      return { days: count, months: 0 };
    case 'w':
      return { days: 7 * count, months: 0 };
    case 'mo':
      return { days: 0, months: count };
    default:
      return { days: 0, months: 12 * count };
  }
}

/** Dates from one day to another, both included; a month step from the 31st ends on shorter months' last day. */
export function listDates(from: number, to: number, step: DateStep): string[] {
  const dates: string[] = [];
  for (let index = 0; ; index++) {
    const day = from + index * step.days;
    const moved = step.months === 0 ? day : addMonths(from, index * step.months);
    if (moved > to) return dates;
    dates.push(formatDate(moved));
  }
}

function addMonths(day: number, months: number): number {
  const start = new Date(day * dayMs);
  const month = start.getUTCMonth() + months;
  const first = Date.UTC(start.getUTCFullYear(), month, 1);
  const lastDay = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate();
  return first / dayMs + Math.min(start.getUTCDate(), lastDay) - 1;
}

function formatDate(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
