/** Values by the key that stands for them. */
export type Parameters = ReadonlyMap<string, readonly string[]>;

/** One value for each of some keys. */
export type Values = ReadonlyMap<string, string>;

/**
 * Puts values in the place of keys, wherever these stand in a text. All keys are looked for at once,
 * longer ones first, and a value is never searched: with `DATE` and `DATE_END` no end has a date in it.
 */
export class Substitution {
  readonly #pattern: RegExp | null;

  constructor(keys: readonly string[]) {
    const longestFirst = keys.toSorted((a, b) => b.length - a.length);
    const alternatives = longestFirst.map((key) => RegExp.escape(key)).join('|');
    this.#pattern = keys.length === 0 ? null : new RegExp(alternatives, 'g');
  }

  /** The keys that stand in these texts, sorted. */
  keysIn(texts: readonly string[]): readonly string[] {
    const pattern = this.#pattern;
    if (pattern === null) return [];
    const found = texts.flatMap((text) => [...text.matchAll(pattern)].map(([key]) => key));
    return [...new Set(found)].sort();
  }

  fillIn(text: string, values: Values): string {
    if (this.#pattern === null) return text;
    return text.replaceAll(this.#pattern, (key) => values.get(key) ?? key);
  }
}

/** How many combinations there are. */
export function countCombinations(keys: readonly string[], parameters: Parameters): number {
  return keys.reduce((product, key) => product * (parameters.get(key)?.length ?? 0), 1);
}

/** Every combination of the values of these keys; the last key changes fastest. */
export function* combinations(keys: readonly string[], parameters: Parameters): Generator<Values> {
  const lists = keys.map((key) => parameters.get(key) ?? []);
  const count = countCombinations(keys, parameters);
  for (let number = 0; number < count; number++) {
    let rest = number;
    const values: [string, string][] = [];
    for (let at = keys.length - 1; at >= 0; at--) {
      const list = lists[at] ?? [];
      values.unshift([keys[at] ?? '', list[rest % list.length] ?? '']);
      rest = Math.floor(rest / list.length);
    }
    yield new Map(values);
  }
}
