import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  formatPath,
  maxWebhooks,
  parseAllowedPlaces,
  type Webhook,
  webhookSchema,
} from '@runnel/core';
import { parse } from 'yaml';
import { z } from 'zod';
import { readList, setting } from './setting-values.ts';

const schema = z.array(webhookSchema).max(maxWebhooks);

/** Webhooks of all runs: a list in a settings file; JSON or the path of a JSON or YAML file in a variable. */
export const webhookList = (): z.ZodType<readonly Webhook[]> =>
  setting(({ raw, folder }) => {
    const value = typeof raw === 'string' ? readText(raw, folder) : raw;
    const parsed = schema.safeParse(value ?? []);
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map(({ path, message }) => {
      const keys = path.map((key) => (typeof key === 'symbol' ? String(key) : key));
      const place = path.length === 0 ? '' : `${formatPath(keys)}: `;
      return `${place}${message}`;
    });
    throw new RangeError(`is no list of webhooks: ${problems.join('; ')}`);
  });

/** Networks, addresses and host names that webhooks may go to although they are not public. */
export const allowedPlaces = (): z.ZodType<readonly string[]> =>
  setting(({ raw }) => {
    const entries = readList(raw);
    parseAllowedPlaces(entries);
    return entries;
  });

function readText(raw: string, folder: string): unknown {
  const isJson = raw.trimStart().startsWith('[');
  const what = isJson ? 'the JSON' : resolve(folder, raw);
  try {
    return parse(isJson ? raw : readFileSync(what, 'utf8'));
  } catch (error: unknown) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new RangeError(`can't be read: ${what}: ${reason}`);
  }
}
