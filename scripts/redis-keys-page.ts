import {
  readyKeyDoc,
  revisionKeyDoc,
  runKeyDocs,
  shardCount,
  shardKeyDocs,
  storeKeyDocs,
} from '@runnel/store';

interface KeyDoc {
  readonly type: string;
  readonly holds: string;
  readonly lifetime: string;
}

/** docs/redis-keys.md, made from the only file that spells keys. */
export function redisKeysPage(): string {
  const runs = { ...runKeyDocs, 'ready<queue>': readyKeyDoc, 'spec@<revision>': revisionKeyDoc };
  return [
    '# Redis keys',
    '',
    'Made from `run-keys.ts` and `store-keys.ts` in `libs/store/src` by `npm run docs`. `<ns>` is the namespace (`runnel` by default),',
    `\`<shard>\` a number from 0 to ${shardCount - 1}. The part in braces is the tag: all keys of a shard share a slot.`,
    'Layouts of packed values are in `libs/store/src/packed.ts`.',
    '',
    ...section('A run: `<ns>:{r<shard>}:run:<id>:<name>`', runs),
    ...section('A shard: `<ns>:{r<shard>}:<name>`', shardKeyDocs),
    ...section('The store: `<ns>:{store}:<name>`', storeKeyDocs),
    '## BullMQ',
    '',
    'Each queue has the prefix `<ns>:{q.<queue>}`: keys are `<ns>:{q.<queue>}:<queue>:…`. A pool `p` has the queues',
    '`p` (what computes) and `p.waits` (what only waits).',
    '',
    '## Channels',
    '',
    '`<ns>:cancel` tells workers of a cancelled run, `<ns>:cancel-tasks` of one with cancelled tasks, `<ns>:pause` of a paused one or one with paused parts, `<ns>:edit` of an edited one; `<ns>:run:<id>` tells followers that a log grew or the run ended.',
    'Both are hints: nothing depends on a message that is lost.',
    '',
  ].join('\n');
}

function section(title: string, docs: Readonly<Record<string, KeyDoc>>): readonly string[] {
  const rows = Object.entries(docs).map(
    ([name, { type, holds, lifetime }]) =>
      `| \`${name}\` | ${type} | ${holds.replaceAll('|', '\\|')} | ${lifetime} |`,
  );
  return [
    `## ${title}`,
    '',
    '| name | type | holds | lifetime |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}
