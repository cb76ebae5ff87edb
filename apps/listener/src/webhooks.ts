import { addressRules, parseAllowedPlaces } from '@runnel/core';
import { HookDeliverer, HookPoster, type LaneResult } from '@runnel/engine';
import { createSecretSource, type Logger, type Metrics, type Settings } from '@runnel/service';
import { type RedisClient, RunInfoCache } from '@runnel/store';

export interface WebhooksOptions {
  readonly settings: Settings;
  /** A connection of their own: they must not hold up outcomes. */
  readonly redis: RedisClient;
  readonly name: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  owned(): readonly number[];
}

/** What delivers the webhooks of this listener's shards. */
export function createWebhooks(options: WebhooksOptions): HookDeliverer {
  const { settings, redis, name, logger, metrics, owned } = options;
  const { namespace, secretsDir, webhookAllow } = settings;
  const deliverer = new HookDeliverer({
    namespace,
    infos: new RunInfoCache(redis, namespace),
    events: { redis, settings },
    secrets: createSecretSource({
      ...{ worker: name, process: 'listener', dir: secretsDir, env: process.env },
    }),
    poster: new HookPoster({ rules: addressRules(parseAllowedPlaces(webhookAllow)) }),
    now: Date.now,
    random: Math.random,
    onResult: countResults(metrics, logger),
    owned,
    onError: (error) => logger.error({ err: error }, 'a webhook could not be worked on'),
  });
  metrics.gauge({
    name: 'webhooks_under_way',
    help: 'Messages of webhooks that are being sent',
    read: () => deliverer.underWay,
  });
  return deliverer;
}

function countResults(metrics: Metrics, logger: Logger): (result: LaneResult) => void {
  const messages = metrics.counter({
    name: 'webhook_messages_total',
    help: 'Tries to send messages of webhooks, by what became of them',
    labels: ['result'],
  });
  return ({ kind, runId, url, tries, error }) => {
    messages.inc({ result: kind });
    if (kind === 'delivered') return;
    const { host } = new URL(url);
    const told = { run: runId, host, tries, error };
    if (kind === 'given-up') logger.warn(told, 'a webhook was given up: runnel webhooks lists it');
    else logger.debug(told, 'a webhook was not delivered; it is tried again');
  };
}
