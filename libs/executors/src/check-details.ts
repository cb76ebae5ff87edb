import type { Issue, Json } from '@runnel/core';
import type { z } from 'zod';
import { describeSchemaIssues } from './schema-issues.ts';

/** What is wrong with a task's details before they are rendered. */
export function checkDetails(schema: z.ZodType, details: Json): readonly Issue[] {
  const parsed = schema.safeParse(details);
  if (parsed.success) return [];
  return describeSchemaIssues(parsed.error, { schema, value: details, accepts: hasPlaceholder });
}

function hasPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}
