import type { Json } from '@runnel/core';
import { z } from 'zod';

export const functionDetails = z.strictObject({
  name: z.string().min(1, 'needs the name of a function'),
  input: z.json().optional(),
});

export interface FunctionDetails {
  /** As given to defineFunction. */
  readonly name: string;
  readonly input?: Json | undefined;
}
