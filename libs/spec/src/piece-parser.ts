import { checkNames, maxScannedLength } from './json-scan.ts';

/** Parses pieces of one JSON text; in the first of them no object may have a name twice. */
export class PieceParser {
  #scanned = 0;

  /** @throws SyntaxError where it is no JSON; SpecError for a name that is there twice. */
  parse(text: string): unknown {
    const value: unknown = JSON.parse(text);
    if (this.#scanned < maxScannedLength) {
      this.#scanned += text.length;
      checkNames(text);
    }
    return value;
  }
}
