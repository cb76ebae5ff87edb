import { styleText } from 'node:util';
import type { RunState, TaskState } from '@runnel/core';

/** Colours text, or leaves it as it is. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
}

export function createStyle(hasColor: boolean): Style {
  const paint = (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue') =>
    hasColor
      ? (text: string) => styleText(format, text, { validateStream: false })
      : (text: string) => text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    blue: paint('blue'),
  };
}

const stateStyles: Readonly<Partial<Record<RunState | TaskState, keyof Style>>> = {
  succeeded: 'green',
  failed: 'red',
  'upstream-failed': 'red',
  cancelled: 'yellow',
  paused: 'yellow',
  running: 'blue',
  skipped: 'dim',
  waiting: 'dim',
};

/** The name of a state in its colour. */
export function styleState(style: Style, state: RunState | TaskState, text: string = state) {
  const name = stateStyles[state];
  return name === undefined ? text : style[name](text);
}
