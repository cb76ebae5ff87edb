import { type AttemptResult, describeIssue, describeThrown } from '@runnel/core';
import type { z } from 'zod';
import { describeKind, parseOutput } from '../output.ts';
import { describeSchemaIssues } from '../schema-issues.ts';
import type { FunctionContext, RegisteredFunction } from './define-function.ts';

/** Without output, made once: most functions of a large batch end so. */
const succeeded: AttemptResult = { outcome: 'succeeded' };

/** Calls a user's function between its two schemas. Never throws. */
export async function callFunction(
  called: RegisteredFunction,
  input: unknown,
  context: FunctionContext,
): Promise<AttemptResult> {
  try {
    if (called.input === undefined) {
      return describeOutput(called, await called.run(input, context));
    }
    const parsed = called.input.safeParse(input);
    if (parsed.success) return describeOutput(called, await called.run(parsed.data, context));
    const problem = describe(parsed.error, called.input, input);
    const message = `the input of "${called.name}" is wrong: ${problem}`;
    return { outcome: 'failed', reason: 'error', message, retryable: false };
  } catch (error: unknown) {
    return { outcome: 'failed', reason: 'error', message: describeThrown(error) };
  }
}

function describeOutput(called: RegisteredFunction, returned: unknown): AttemptResult {
  if (called.output === undefined) return describeObject(called.name, returned);
  const parsed = called.output.safeParse(returned);
  if (parsed.success) return describeObject(called.name, parsed.data);
  const problem = describe(parsed.error, called.output, returned);
  return invalid(`the output of "${called.name}" is wrong: ${problem}`);
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

function describe(error: z.ZodError, schema: z.ZodType, value: unknown): string {
  return describeSchemaIssues(error, { schema, value }).map(describeIssue).join('; ');
}
