import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import type { Style } from '../style.ts';

/** What a log line of ours has; the rest is its fields. */
const logRecord = z.looseObject({
  level: z.number(),
  time: z.string(),
  msg: z.string().default(''),
});

/** Of pino. */
const levels = [
  { from: 50, name: 'ERROR', style: 'red' },
  { from: 40, name: 'WARN', style: 'yellow' },
  { from: 30, name: 'info', style: 'dim' },
  { from: 0, name: 'debug', style: 'dim' },
] as const;

/** Said by the format already, or the same in every line. */
const hidden = ['level', 'time', 'msg', 'name', 'pid', 'hostname', 'v'];

/** A JSON log line as a person reads it; what is no such line as it is. */
export function formatLogLine(line: string, from: string, style: Style): string {
  const parsed = logRecord.safeParse(parseJson(line));
  const name = style.bold(from.padEnd(9));
  if (!parsed.success) return `${name} ${stripVTControlCharacters(line)}`;
  const { time, level, msg } = parsed.data;
  const rank = levels.find((known) => level >= known.from) ?? levels[3];
  const fields = Object.entries(parsed.data)
    .filter(([key]) => !hidden.includes(key))
    .map(([key, value]) => [key, describeField(value)] as const)
    // An error that is the message as well.
    .filter(([, text]) => text !== msg)
    .map(([key, text]) => style.dim(` ${key}=${text}`));
  const clock = new Date(time).toTimeString().slice(0, 8);
  return `${name} ${style.dim(clock)} ${style[rank.style](rank.name)} ${msg}${fields.join('')}`;
}

const errorRecord = z.looseObject({ message: z.string(), stack: z.string().optional() });

/** An error by its message: its stack is for a log file. */
function describeField(value: unknown): string {
  const error = errorRecord.safeParse(value);
  if (error.success) return error.data.message;
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every line is ours: Node's own warnings, what a user's module prints.
    return null;
  }
}
