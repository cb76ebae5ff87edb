import { type AttemptResult, describeError, describeIssue, describeThrown } from '@runnel/core';
import type { z } from 'zod';
import { describeKind, parseOutput } from '../output.ts';
import type { FunctionContext, RegisteredFunction } from './define-function.ts';
import { succeeded } from './protocol.ts';

/** Calls a user's function between its two schemas. Never throws. */
export async function callFunction(
  called: RegisteredFunction,
  { input, generates = false }: { readonly input: unknown; readonly generates?: boolean },
  context: FunctionContext,
): Promise<AttemptResult> {
  const { name } = called;
  try {
    const given = called.input?.safeParse(input);
    if (given?.success === false) {
      const problem = await describe(given.error, called.input, input);
      const message = `the input of "${name}" is wrong: ${problem}`;
      return { outcome: 'failed', reason: 'error', message, retryable: false };
    }
    const returned = await called.run(given === undefined ? input : given.data, context);
    const checked = called.output?.safeParse(returned);
    if (checked?.success === false) {
      const problem = await describe(checked.error, called.output, returned);
      return invalid(`the output of "${name}" is wrong: ${problem}`);
    }
    const output = checked === undefined ? returned : checked.data;
    return generates ? describeTasks(name, output) : describeObject(name, output);
  } catch (error: unknown) {
    return describeError(error);
  }
}

/** What a generator returns is the set of tasks; nothing is an empty one. */
function describeTasks(name: string, set: unknown): AttemptResult {
  try {
    return { outcome: 'succeeded', tasks: JSON.stringify(set ?? []) };
  } catch (error: unknown) {
    const problem = describeThrown(error);
    return invalid(`the generated tasks of "${name}" can not be written as JSON: ${problem}`);
  }
}

function describeObject(name: string, output: unknown): AttemptResult {
  return output === undefined || output === null ? succeeded : checkObject(name, output);
}

function checkObject(name: string, output: unknown): AttemptResult {
  const where = `the output of "${name}"`;
  if (!isPlainObject(output)) {
    const remedy = 'return a plain object, or nothing';
    return invalid(`${where} is ${describeValue(output)}: ${remedy}`);
  }
  let text: string;
  try {
    text = JSON.stringify(output);
  } catch (error: unknown) {
    return invalid(`${where} can not be written as JSON: ${describeThrown(error)}`);
  }
  const checked = parseOutput(text, where);
  return checked.kind === 'valid'
    ? { outcome: 'succeeded', output: checked.output }
    : invalid(checked.message);
}

/** A Map, a Date or an instance of a class would lose its contents as JSON, without a word. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describeValue(value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return `a ${value.constructor.name}`;
  }
  return describeKind(value);
}

function invalid(message: string): AttemptResult {
  return { outcome: 'failed', reason: 'output-invalid', message };
}

/** Imports what it needs only now: zod, which a module of functions may do without. */
async function describe(
  error: z.ZodError,
  schema: z.ZodType | undefined,
  value: unknown,
): Promise<string> {
  if (schema === undefined) return error.message;
  const { describeSchemaIssues } = await import('../schema-issues.ts');
  return describeSchemaIssues(error, { schema, value }).map(describeIssue).join('; ');
}
