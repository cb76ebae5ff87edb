type OnLine = (label: string, line: string) => void;

/** Everything that has no connection says so several times a second. */
const sameWithinMs = 5_000;

/** Passes a log line on unless its process said the same a moment ago; only the times differ then. */
export function quietRepeats(pass: OnLine, now: () => number = () => performance.now()): OnLine {
  const last = new Map<string, { readonly text: string; readonly atMs: number }>();
  return (label, line) => {
    const text = line.replace(/"time":"[^"]*"/, '');
    const before = last.get(label);
    if (before?.text === text && now() - before.atMs < sameWithinMs) return;
    last.set(label, { text, atMs: now() });
    pass(label, line);
  };
}
