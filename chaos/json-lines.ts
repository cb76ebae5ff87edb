import { appendFileSync } from 'node:fs';

/** A file of one JSON value a line, only ever appended to. */
export class JsonLines {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    appendFileSync(path, '');
  }

  append(value: object): void {
    appendFileSync(this.path, `${JSON.stringify(value)}\n`);
  }
}
