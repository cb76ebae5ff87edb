import { Redis } from 'ioredis';

/** Databases of the test server that no other test uses: a server has 16, tests use the first. */
const firstDatabase = 1;
/** Cases wait for Redis most of the time; with more of them side by side nothing is gained. */
const databaseCount = 8;

/** Connections to a few empty databases, so that cases can be played side by side. */
export async function openDatabases(url: string): Promise<readonly Redis[]> {
  const databases: Redis[] = [];
  for (let index = 0; index < databaseCount; index++) {
    // RESP 2, as connections of the store.
    const redis = new Redis(url, { db: firstDatabase + index, protocol: 2 });
    databases.push(redis);
  }
  return databases;
}

export async function closeDatabases(databases: readonly Redis[]): Promise<void> {
  for (const redis of databases) {
    await redis.flushdb();
    await redis.quit();
  }
}
