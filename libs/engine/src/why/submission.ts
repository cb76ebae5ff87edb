import { readMoment, runHandle } from '@runnel/store';
import type { WhyContext } from './look.ts';
import type { Reason } from './reason.ts';

/** A submission that wrote nothing for so long was given up: the listener, which looks every 15 s, removes it. */
export const abandonedMs = 60_000;

/** A run that is being submitted, or was. */
export async function explainSubmission(
  { redis, namespace, now }: WhyContext,
  id: string,
): Promise<readonly Reason[]> {
  const { meta, submittingAt } = await readMoment(redis, runHandle(namespace, id));
  const since = submittingAt ?? Number(meta['created'] ?? 0);
  const sealed = `${meta['seal'] ?? 0} of ${meta['n'] ?? 0} tasks are sealed`;
  if (now() - since <= abandonedMs) {
    return [{ code: 'submitting', detail: `it is being submitted; ${sealed}`, since }];
  }
  return [
    {
      code: 'submission-abandoned',
      detail: `its submission broke off: nothing came for more than ${abandonedMs / 1_000} s; ${sealed}`,
      remedy: 'submit it again; the listener removes this one',
      since,
    },
  ];
}
