/** From one byte to one behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Found {
  /** Of all that was decided: in order, those that overlap joined to one. */
  readonly spans: readonly Span[];
  /** Whether a pattern starts before this byte is decided; from here on it may depend on what follows. */
  readonly decided: number;
}

const blockBytes = 2;
const blocks = 65_536;
const maxSkip = 255;
const none: readonly Buffer[] = [];

/**
 * Finds many byte strings at once, by the method of Wu and Manber: it looks at the last two bytes of a window as long
 * as the shortest pattern, and where no pattern has those two, moves on by almost the whole window. So most bytes of a
 * flood of output are never looked at.
 */
export class PatternFinder {
  readonly longest: number;
  readonly #window: number;
  /** By two bytes: how far the window may move. */
  readonly #skips: Uint8Array;
  /** By the two bytes at the end of the window: the patterns that have them there, the longest first. */
  readonly #candidates = new Map<number, Buffer[]>();
  readonly #byFirst = new Map<number, Buffer[]>();
  /** 1 for a byte that some pattern begins with. */
  readonly #isFirst = new Uint8Array(256);

  /** Patterns have at least two bytes; there is at least one. */
  constructor(patterns: readonly Buffer[]) {
    const sorted = patterns.toSorted((left, right) => right.length - left.length);
    this.longest = sorted[0]?.length ?? 0;
    this.#window = sorted.at(-1)?.length ?? 0;
    if (this.#window < blockBytes) throw new Error('a pattern needs two bytes');
    const unseen = Math.min(maxSkip, this.#window - blockBytes + 1);
    this.#skips = new Uint8Array(blocks).fill(unseen);
    for (const pattern of sorted) this.#add(pattern);
  }

  /** `isLast`: nothing follows, so all is decided. */
  find(bytes: Buffer, isLast: boolean): Found {
    const decided = isLast ? bytes.length : this.#undecidedFrom(bytes);
    const spans: Span[] = [];
    const last = this.#window - 1;
    let at = last;
    while (at < bytes.length) {
      const block = ((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0);
      const skip = this.#skips[block] ?? 1;
      if (skip > 0) {
        at += skip;
        continue;
      }
      const start = at - last;
      if (start >= decided) break;
      const pattern = this.#matchAt(bytes, start, block);
      if (pattern !== undefined) join(spans, { start, end: start + pattern.length });
      at++;
    }
    return { spans, decided };
  }

  #add(pattern: Buffer): void {
    for (let end = blockBytes; end <= this.#window; end++) {
      const block = pattern.readUInt16BE(end - blockBytes);
      this.#skips[block] = Math.min(this.#skips[block] ?? 0, this.#window - end);
    }
    const block = pattern.readUInt16BE(this.#window - blockBytes);
    push(this.#candidates, block, pattern);
    push(this.#byFirst, pattern[0] ?? 0, pattern);
    this.#isFirst[pattern[0] ?? 0] = 1;
  }

  #matchAt(bytes: Buffer, start: number, block: number): Buffer | undefined {
    for (const pattern of this.#candidates.get(block) ?? none) {
      if (start + pattern.length <= bytes.length && agree(bytes, start, pattern)) return pattern;
    }
    return undefined;
  }

  /** The first byte from which on everything is the beginning of a pattern, but not the whole of it. */
  #undecidedFrom(bytes: Buffer): number {
    for (let start = Math.max(0, bytes.length - this.longest + 1); start < bytes.length; start++) {
      if (this.#isFirst[bytes[start] ?? 0] === 1 && this.#mayStart(bytes, start)) return start;
    }
    return bytes.length;
  }

  #mayStart(bytes: Buffer, start: number): boolean {
    const rest = bytes.length - start;
    const patterns = this.#byFirst.get(bytes[start] ?? 0) ?? [];
    return patterns.some(
      (pattern) =>
        pattern.length > rest && bytes.compare(pattern, 0, rest, start, bytes.length) === 0,
    );
  }
}

/** For what is short, and mostly differs soon: a call of the platform would take longer than that. */
function agree(bytes: Buffer, start: number, pattern: Buffer): boolean {
  for (let at = 0; at < pattern.length; at++) {
    if (bytes[start + at] !== pattern[at]) return false;
  }
  return true;
}

function push(lists: Map<number, Buffer[]>, key: number, pattern: Buffer): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [pattern]);
  else list.push(pattern);
}

function join(spans: Span[], span: Span): void {
  const before = spans.at(-1);
  if (before === undefined || before.end <= span.start) spans.push(span);
  else spans[spans.length - 1] = { start: before.start, end: Math.max(before.end, span.end) };
}
