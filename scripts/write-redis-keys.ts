import { writeFileSync } from 'node:fs';
import { redisKeysPage } from './redis-keys-page.ts';

writeFileSync(new URL('../docs/redis-keys.md', import.meta.url), redisKeysPage());
