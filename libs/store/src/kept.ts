import { keepNewest } from '@runnel/core';

/** A small LRU of promises; one that fails is not kept. */
export async function kept<Key, Value>(
  map: Map<Key, Promise<Value>>,
  key: Key,
  most: number,
  read: () => Promise<Value>,
): Promise<Value> {
  const found = map.get(key);
  if (found !== undefined) {
    map.delete(key);
    map.set(key, found);
    return found;
  }
  const reading = read();
  map.set(key, reading);
  keepNewest(map, most);
  try {
    return await reading;
  } catch (error: unknown) {
    map.delete(key);
    throw error;
  }
}
