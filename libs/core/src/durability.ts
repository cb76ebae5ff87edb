/**
 * What an answer promises: `fast` survives the death of any process, `durable` also a power failure
 * of Redis's machine, `ha` also the loss of that machine.
 */
export const durabilities = ['fast', 'durable', 'ha'] as const;
export type Durability = (typeof durabilities)[number];
