import { defaultHookWords, type HookWord, type Webhook } from '@runnel/core';
import { type FeedEvent, groupAt, type RunInfo } from '@runnel/store';

/** Whether a webhook is told of an event. */
export type HookFilter = (event: FeedEvent) => boolean;

export async function filterOf(webhook: Webhook, info: RunInfo): Promise<HookFilter> {
  const words = new Set<HookWord>(webhook.on ?? defaultHookWords);
  const { classes } = webhook;
  if (classes === undefined) return (event) => wordsOf(event).some((word) => words.has(word));
  const [ranges, groups] = await Promise.all([info.ranges(), info.groups()]);
  return (event) => {
    if (!wordsOf(event).some((word) => words.has(word))) return false;
    if (event.kind !== 'task') return true;
    return classes.includes(groups[groupAt(ranges, event.task)]?.class ?? '');
  };
}

/** The words under which a webhook may ask for an event. */
function wordsOf(event: FeedEvent): readonly HookWord[] {
  if (event.kind !== 'task') {
    const own = [`run-${event.kind}`];
    return (event.kind === 'ended' ? [...own, `run-${event.state}`] : own) as readonly HookWord[]; // one that nobody can ask for matches nothing
  }
  const own = `task-${event.state}` as HookWord; // as above
  return event.state === 'delayed' ? [own] : [own, 'task-ended'];
}
