const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `850 ms`, `3.2 s`, `4m 05s`, `2h 03m`, `3d 04h`: two significant parts are enough for a person. */
export function formatElapsed(ms: number): string {
  if (ms < second) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < minute) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)}m ${two(Math.floor((ms % minute) / second))}s`;
  if (ms < day) return `${Math.floor(ms / hour)}h ${two(Math.floor((ms % hour) / minute))}m`;
  return `${Math.floor(ms / day)}d ${two(Math.floor((ms % day) / hour))}h`;
}

/** `just now`, `5 min ago`, `2 days ago`. */
export function formatAge(ms: number): string {
  if (ms < 5 * second) return 'just now';
  if (ms < minute) return `${Math.floor(ms / second)} s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`;
  if (ms < day) return `${Math.floor(ms / hour)} h ago`;
  return `${Math.floor(ms / day)} d ago`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
