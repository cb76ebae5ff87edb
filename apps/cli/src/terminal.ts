import { stripVTControlCharacters } from 'node:util';
import { createStyle, type Style } from './style.ts';

/** Where a command writes: data on stdout, everything else on stderr. */
export interface Terminal {
  /** Data. */
  print(text: string): void;
  /** Data as JSON. */
  printJson(value: unknown): void;
  /** Data as it is, without a line end. */
  write(text: string): void;
  /** Everything else; stands above the live block. */
  say(text: string): void;
  /** Replaces the live block; an empty list takes it away. Does nothing where `isLive` is false. */
  show(lines: readonly string[]): void;
  /** True where stderr is a screen that a block can be redrawn on. */
  readonly isLive: boolean;
  readonly isUnicode: boolean;
  readonly columns: number;
  readonly rows: number;
  /** For stdout and for stderr. */
  readonly dataStyle: Style;
  readonly style: Style;
}

export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: never. */
  readonly color: boolean;
}

export function createTerminal({ stdout, stderr, env, color }: TerminalOptions): Terminal {
  const { NO_COLOR: noColor = '', TERM: term } = env;
  const mayColor = color && noColor === '' && term !== 'dumb';
  const isLive = stderr.isTTY === true && term !== 'dumb';
  const columns = () => stderr.columns ?? 80;
  let block: readonly string[] = [];

  const draw = (above: string, lines: readonly string[]): void => {
    const up = block.length > 0 ? `\x1b[${block.length}A\r\x1b[J` : '';
    // A line that wraps would break the count of lines to go up.
    block = lines.map((line) => fitLine(line, columns() - 1));
    stderr.write(`${up}${above}${block.map((line) => `${line}\n`).join('')}`);
  };
  const clearForData = (write: () => void): void => {
    const shown = block;
    if (shown.length > 0) draw('', []);
    write();
    if (shown.length > 0) draw('', shown);
  };
  const print = (text: string): void => clearForData(() => stdout.write(`${text}\n`));
  return {
    print,
    printJson: (value) => print(JSON.stringify(value, null, 2)),
    write: (text) => clearForData(() => stdout.write(text)),
    say: (text) => draw(`${text}\n`, block),
    show: (lines) => {
      if (isLive) draw('', lines);
    },
    isLive,
    isUnicode: term !== 'linux' && term !== 'dumb',
    get columns() {
      return columns();
    },
    get rows() {
      return stderr.rows ?? 24;
    },
    dataStyle: createStyle(mayColor && stdout.isTTY === true),
    style: createStyle(mayColor && stderr.isTTY === true),
  };
}

/** Cuts a line to a width; styles take no room and are closed. */
export function fitLine(line: string, width: number): string {
  if (stripVTControlCharacters(line).length <= width) return line;
  let left = Math.max(0, width - 1);
  let fitted = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what styles begin with.
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    if (part.startsWith('\x1b[')) {
      fitted += part;
    } else {
      fitted += part.slice(0, left);
      left -= Math.min(left, part.length);
    }
    if (left === 0) break;
  }
  return line.includes('\x1b[') ? `${fitted}\x1b[0m…` : `${fitted}…`;
}
