import { byHeader } from '@runnel/client';
import type { Request } from 'express';
import { z } from 'zod';
import { RequestError } from './request-error.ts';

const by = z
  .string()
  .regex(
    /^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/,
    'must be 1 to 200 printable ASCII characters',
  )
  .optional()
  .describe('Who asks, kept with what is changed: a claim, not an authentication.');

/** The header as the document of the API tells it. */
export const byParameter = z.object({ [byHeader]: by });

/** Who asks for a change, as they say; null where they do not. */
export function readBy(request: Request): string | null {
  const parsed = by.safeParse(request.get(byHeader));
  if (parsed.success) return parsed.data ?? null;
  throw new RequestError(400, `${byHeader}: ${parsed.error.issues[0]?.message ?? 'is wrong'}`);
}
