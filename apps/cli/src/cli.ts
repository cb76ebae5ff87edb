import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type ExitCode, UsageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** What commands know of the process that they run in. */
export interface Cli {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  /** Says what the process ends with. */
  readonly finish: (code: ExitCode) => void;
}

/** Adds itself to the program. */
export type AddCommand = (program: Command, cli: Cli) => void;

/** Options that every command has. */
export const globalOptions = z.object({
  url: z.string().optional(),
  token: z.string().optional(),
  json: z.boolean().default(false),
});
export type GlobalOptions = z.infer<typeof globalOptions>;

/** The options of a command with the global ones; commander gives them no types. */
export function readOptions<T>(schema: z.ZodType<T>, command: Command): T {
  return schema.parse(command.optsWithGlobals());
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The same where only some words are known; commander checks nothing where an option has a parser of its own. */
export function collectOf(
  choices: readonly string[],
): (value: string, before?: readonly string[]) => readonly string[] {
  return (value, before) => {
    if (choices.includes(value)) return collect(value, before);
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  };
}

/** `--tag team=data`, repeated. */
export function parseTags(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--tag ${text}: write a name and a value: --tag team=data`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** For `argParser`: a whole number in a range. */
export function parseWhole(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new UsageError(`${name} ${text}: must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}
