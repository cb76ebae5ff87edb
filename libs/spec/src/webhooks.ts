import { findWebhookProblem, maxWebhooks, type Plan, suggest, webhookFields } from '@runnel/core';
import { z } from 'zod';
import { fields } from './fields.ts';
import type { IssueList } from './issue-list.ts';

/** The field `webhooks` of a run. */
export const webhooksField = z
  .array(fields(webhookFields))
  .min(1)
  .max(maxWebhooks)
  .describe('Addresses that are told what becomes of the run.');

export type WebhooksOfHead = z.infer<typeof webhooksField> | undefined;

/** Why no webhook may go to an address as it is written; null: it may, as far as can be told without a lookup. */
export type RefuseWebhook = (url: string) => string | null;

/** Notes what is wrong with webhooks beyond their form. */
export function checkWebhooks(
  webhooks: WebhooksOfHead,
  refuse: RefuseWebhook | undefined,
  issues: IssueList,
): void {
  for (const [index, webhook] of (webhooks ?? []).entries()) {
    const refusal = refuse?.(webhook.url) ?? null;
    if (refusal !== null) issues.add(['webhooks', index, 'url'], refusal);
    const problem = findWebhookProblem(webhook);
    if (problem !== null) issues.add(['webhooks', index, 'classes'], problem);
  }
}

/** Notes classes of webhooks that no task of the plan has. */
export function checkWebhookClasses(
  webhooks: WebhooksOfHead,
  groups: Plan['groups'],
  issues: IssueList,
): void {
  if (webhooks?.some(({ classes }) => classes !== undefined) !== true) return;
  const known = new Set(groups.map((group) => group.class));
  // Classes of generated tasks have the generator's name and a dot in front.
  const hasGenerator = groups.some(({ generator }) => generator !== undefined);
  for (const [index, { classes = [] }] of webhooks.entries()) {
    for (const [place, name] of classes.entries()) {
      if (known.has(name) || (hasGenerator && name.includes('.'))) continue;
      issues.add(
        ['webhooks', index, 'classes', place],
        `no task has the class ${JSON.stringify(name)}${suggest(name, [...known])}`,
      );
    }
  }
}
