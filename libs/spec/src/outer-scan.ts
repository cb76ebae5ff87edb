const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;

/** `{` or `[`. */
export function isOpening(code: number | undefined): boolean {
  return code === 0x7b || code === openBracket;
}

/** `}` or `]`. */
export function isClosing(code: number | undefined): boolean {
  return code === 0x7d || code === 0x5d;
}

/** Goes over the outermost object of a JSON document, whose bytes come in pieces, to its `tasks`. */
export class OuterScan {
  /** Names of the outermost object so far. */
  keyCount = 0;
  /** True where a name may be `tasks` in another spelling, or is there again. */
  isUnusual = false;
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** In the outermost object: a name comes, or its value. */
  #expectsKey = true;
  #key = '';
  #hasTasks = false;

  /** Where the list of tasks begins, behind its bracket; -1: not in these bytes. What is in the list is passed by. */
  findTasks(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const code = bytes[at] ?? 0;
      if (this.#isText) this.#readText(code);
      else if (this.#readSign(code)) return at + 1;
    }
    return -1;
  }

  #readText(code: number): void {
    const isKey = this.#depth === 1 && this.#expectsKey;
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === backslash) {
      this.#isEscaped = true;
      if (isKey) this.isUnusual = true;
    } else if (code === quote) this.#isText = false;
    // A few more are enough to tell it from the name that is looked for.
    else if (isKey && this.#key.length < 8) this.#key += String.fromCharCode(code);
  }

  /** True at the bracket of the tasks. */
  #readSign(code: number): boolean {
    if (code === quote) {
      this.#isText = true;
      if (this.#depth === 1 && this.#expectsKey) this.#key = '';
    } else if (isOpening(code)) {
      this.#depth++;
      return this.#depth === 2 && code === openBracket && this.#isAtTasks();
    } else if (isClosing(code)) this.#depth--;
    else if (this.#depth === 1 && code === comma) this.#expectsKey = true;
    else if (this.#depth === 1 && code === colon) this.#endKey();
    return false;
  }

  #endKey(): void {
    this.#expectsKey = false;
    this.keyCount++;
    if (this.#hasTasks && this.#key === 'tasks') this.isUnusual = true;
  }

  #isAtTasks(): boolean {
    if (this.#expectsKey || this.#key !== 'tasks' || this.#hasTasks) return false;
    this.#hasTasks = true;
    return true;
  }
}
