import { NameTable } from './name-table.ts';
import type { ByteRange, PlainReader } from './plain-reader.ts';
import type { Shape } from './single-tasks.ts';

/** Tasks that are spelled alike are checked once; so many, none longer than that, are remembered. */
export const maxKnown = 10_000;
export const maxKnownLength = 2_000;

/** What was found out of tasks that were read in full, by the texts that others have in common with them. */
export class KnownShapes {
  readonly #plain: PlainReader;
  /** By rest: of tasks without details, or of those whose details are constant; null: not known. */
  readonly #ofRest: (Shape | null)[] = [];
  /** Rest and details. */
  readonly #details = new NameTable();
  readonly #ofDetails: Shape[] = [];

  constructor(plain: PlainReader) {
    this.#plain = plain;
  }

  /**
   * The shape of the task that was read last; undefined where it must be read in full. Details that
   * are not known are all right where `isPlain` says so of what a task with constant details is.
   */
  find(range: ByteRange, isPlain: (details: string, shape: Shape) => boolean): Shape | undefined {
    const rest = this.#plain.findRest();
    const shape = this.#ofRest[rest];
    if (shape === undefined) return undefined;
    const { detailsStart, detailsEnd } = this.#plain;
    if (detailsStart === detailsEnd) return shape ?? undefined;
    this.#beginDetails(rest, range);
    const known = this.#ofDetails[this.#details.findBuilt()];
    if (known !== undefined || shape === null) return known;
    if (!isPlain(this.#detailsOf(range), shape)) return undefined;
    this.#rememberDetails(shape);
    return shape;
  }

  /** Makes the task that was read last known. */
  remember(range: ByteRange, shape: Shape): void {
    if (this.#ofRest.length >= maxKnown || range.end - range.start > maxKnownLength) return;
    const rest = this.#plain.addRest();
    const { detailsStart, detailsEnd } = this.#plain;
    if (detailsStart === detailsEnd) {
      this.#ofRest[rest] = shape;
      return;
    }
    const details = this.#detailsOf(range);
    const isConstant = !hasBraces(details) && details !== 'null';
    this.#ofRest[rest] ??= isConstant ? shape : null;
    this.#beginDetails(rest, range);
    this.#rememberDetails(shape);
  }

  #detailsOf({ bytes }: ByteRange): string {
    return bytes.toString('utf8', this.#plain.detailsStart, this.#plain.detailsEnd);
  }

  #beginDetails(rest: number, { bytes }: ByteRange): void {
    const prefix = `${rest}:`;
    this.#details.begin();
    this.#details.append(prefix, 0, prefix.length);
    this.#details.appendBytes(bytes, this.#plain.detailsStart, this.#plain.detailsEnd);
  }

  #rememberDetails(shape: Shape): void {
    const { detailsStart, detailsEnd } = this.#plain;
    const isTooMuch =
      this.#ofDetails.length >= maxKnown || detailsEnd - detailsStart > maxKnownLength;
    if (!isTooMuch) this.#ofDetails[this.#details.internBuilt()] = shape;
  }
}

/** True where something may have to be rendered. */
export function hasBraces(text: string): boolean {
  return text.includes('{{');
}
