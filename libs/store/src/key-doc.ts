/** What docs/redis-keys.md tells of a key. */
export interface KeyDoc {
  readonly type: 'hash' | 'string' | 'list' | 'zset' | 'stream';
  readonly holds: string;
  readonly lifetime: string;
}
