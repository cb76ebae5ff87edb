import Mustache from 'mustache';
import { maxDepth } from './guard.ts';

/** A tag of a template, or the text between two. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string; readonly keys: readonly string[] }
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly keys: readonly string[];
      /** `{{^name}}`: where there is nothing. */
      readonly isInverted: boolean;
      readonly parts: readonly Part[];
    };

/** A template that can't be read; the message is for the user. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Reads a string leaf; throws TemplateError for what is refused: partials, other delimiters, open sections. */
export function parseTemplate(text: string): readonly Part[] {
  // A writer of its own: the shared one keeps every template that it ever saw.
  const writer = new Mustache.Writer();
  let tokens: unknown;
  try {
    tokens = writer.parse(text);
  } catch (error: unknown) {
    throw new TemplateError(describeSyntax(error instanceof Error ? error.message : String(error)));
  }
  return toParts(tokens, 0);
}

function describeSyntax(message: string): string {
  return `the template can't be read: ${message.replace(/ at \d+$/, '').toLowerCase()}`;
}

/** Mustache's tokens are arrays: [type, text, start, end, tokens of a section]. */
function toParts(tokens: unknown, depth: number): readonly Part[] {
  if (!Array.isArray(tokens)) return [];
  if (depth > maxDepth) throw new TemplateError(`sections are nested deeper than ${maxDepth}`);
  return tokens.flatMap((token: unknown) => {
    if (!Array.isArray(token)) return [];
    const [type, value, , , inner]: unknown[] = token;
    return toPart(String(type), String(value), () => toParts(inner, depth + 1));
  });
}

function toPart(type: string, value: string, inner: () => readonly Part[]): Part[] {
  switch (type) {
    case 'text':
      return [{ kind: 'text', text: value }];
    case 'name':
    case '&':
      return [{ kind: 'value', name: value, keys: toKeys(value) }];
    case '#':
    case '^':
      return [
        {
          kind: 'section',
          name: value,
          keys: toKeys(value),
          isInverted: type === '^',
          parts: inner(),
        },
      ];
    case '!':
      return [];
    case '>':
      throw new TemplateError(`{{> ${value}}}: partials are not allowed`);
    case '=':
      throw new TemplateError('{{= … =}}: the delimiters can not be changed');
    default:
      throw new TemplateError(`the tag {{${type}${value}}} is not known`);
  }
}

/** `.` is the element of a section itself. */
function toKeys(name: string): readonly string[] {
  if (name === '.') return [];
  const keys = name.split('.');
  if (name === '' || keys.includes('')) {
    throw new TemplateError(`{{${name}}}: write a name between the braces`);
  }
  return keys;
}
