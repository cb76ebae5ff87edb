import type { SecretSource, Webhook } from '@runnel/core';
import type { RunInfo, RunInfoCache } from '@runnel/store';
import { type EventContext, toCloudEvents } from '../events/cloud-events.ts';
import type { HookMessage } from './message.ts';
import type { HookRequest } from './post.ts';
import { parseSigningKey, signMessage } from './sign.ts';

export interface EncodeContext {
  readonly events: Omit<EventContext, 'clock' | 'infos'>;
  readonly infos: RunInfoCache;
  readonly secrets: SecretSource;
}

export interface EncodeRequest {
  readonly info: RunInfo;
  readonly webhook: Webhook;
  /** Which of the run's webhooks. */
  readonly number: number;
  readonly message: HookMessage;
  /** When the message was made. */
  readonly madeAt: number;
  readonly now: number;
}

/**
 * A message as it is posted: one event of a run as an object, events of tasks always as a list. Its id is the same
 * whenever it is sent. Throws SecretError where it can't be signed.
 */
export async function encodeMessage(
  { events: context, infos, secrets }: EncodeContext,
  { info, webhook, number, message, madeAt, now }: EncodeRequest,
): Promise<HookRequest> {
  const clock = { now: () => madeAt };
  const told =
    message.kind === 'events'
      ? ({ kind: 'events', events: message.events } as const)
      : ({ kind: 'reset', after: message.after, next: message.to + 1 } as const);
  const events = await toCloudEvents({ ...context, infos, clock }, info, told);
  const isList = message.kind === 'events' && message.events[0]?.kind === 'task';
  const body = JSON.stringify(isList ? events : events[0]);
  const suffix = message.kind === 'reset' ? '-reset' : '';
  const id = `${info.facts.handle.id}-${number}-${message.to}${suffix}`;
  const timestamp = Math.floor(now / 1_000);
  const signature =
    webhook.secret === undefined
      ? {}
      : {
          'webhook-signature': await sign(secrets, webhook.secret.secret, { id, timestamp, body }),
        };
  return {
    url: webhook.url,
    headers: {
      'content-type': `application/cloudevents${isList ? '-batch' : ''}+json; charset=utf-8`,
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'runnel',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...signature,
    },
    body,
  };
}

async function sign(
  secrets: SecretSource,
  name: string,
  parts: Parameters<typeof signMessage>[1],
): Promise<string> {
  return signMessage(parseSigningKey(name, await secrets.read(name)), parts);
}
