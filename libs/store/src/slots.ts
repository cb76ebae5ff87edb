import type { Cluster } from 'ioredis';

const slots = 16_384;

/** The slot of a Cluster that keys with this tag are in: CRC-16/XMODEM, as Redis has it. */
export function slotOfTag(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : ((crc << 1) ^ 0x1021) & 0xff_ff;
    }
  }
  return crc % slots;
}

/** Items of one node each, so that a pipeline carries them: ioredis sends none across nodes. */
export function groupByNode<Item>(
  cluster: Cluster,
  items: readonly Item[],
  tagOf: (item: Item) => string,
): readonly (readonly Item[])[] {
  const byNode = Map.groupBy(
    items,
    (item) => cluster.slots[slotOfTag(tagOf(item))]?.join() ?? tagOf(item),
  );
  return [...byNode.values()];
}
