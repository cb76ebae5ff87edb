import { z } from 'zod';

// What fields of many answers are.

export const time = z.iso.datetime().describe('ISO 8601, UTC.');
export const count = z.int().nonnegative();
