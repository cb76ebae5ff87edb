import { isJsonObject, type JsonObject, maxOutputBytes } from '@runnel/core';

/** Deeper values parse, but break JSON.stringify and whoever walks them with recursion. */
export const maxOutputDepth = 64;

export type CheckedOutput =
  | { readonly kind: 'valid'; readonly output: JsonObject }
  | { readonly kind: 'invalid'; readonly message: string };

/** Checks the text of an output: a JSON object of bounded size and depth. `where` begins the message. */
export function parseOutput(text: string, where: string): CheckedOutput {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxOutputBytes) return invalid(describeTooLarge(where, bytes));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error: unknown) {
    return invalid(`${where} is not JSON: ${describeSyntax(error)}`);
  }
  if (!isJsonObject(value)) {
    return invalid(
      `${where} is ${describeKind(value)}: a JSON object such as {"file": "a.csv"} is needed`,
    );
  }
  if (isDeeperThan(value, maxOutputDepth)) {
    return invalid(`${where} is nested more than ${maxOutputDepth} levels deep`);
  }
  return { kind: 'valid', output: value };
}

/** Without the piece of the text that V8 shows: it could be the half of a secret. */
function describeSyntax(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
}

export function describeTooLarge(where: string, bytes: number): string {
  return `${where} has ${bytes} bytes, but at most ${maxOutputBytes} are allowed: write large data to a file and hand on its name`;
}

/** `an array`, `a string`, `null`: what a value is, for a message. */
export function describeKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `a ${typeof value}`;
}

function invalid(message: string): CheckedOutput {
  return { kind: 'invalid', message };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
