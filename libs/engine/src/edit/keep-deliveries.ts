import { type Delivery, encodeDelivery, isClaimed } from '@runnel/store';
import { fateCode } from './fates.ts';
import type { PreparedEdit } from './prepare-edit.ts';

/** What goes on of the deliveries that workers have. */
export interface KeptDeliveries {
  readonly deliveries: readonly { readonly carrier: number; readonly packed: Buffer }[];
  /** Tasks that are open in them. */
  readonly open: ReadonlySet<number>;
  /** Tasks that workers have, or may have, and that do not go on there. */
  readonly stopped: ReadonlySet<number>;
  /** Queue -> deliveries. */
  readonly inFlight: ReadonlyMap<number, number>;
  /** Tasks of deliveries that nobody has: how they travel when they are cut anew. */
  readonly flags: ReadonlyMap<number, number>;
}

/** A task that may have taken a worker down travels alone. */
const single = 1;

/**
 * Deliveries that nobody has claimed are closed: their tasks become ready again, or do not run so any more. Of
 * the others the places stay open whose tasks go on. A delivery has one group: where an edit puts its tasks
 * into several, those of the largest go on, and the others start again.
 */
export function keepDeliveries(
  edit: PreparedEdit,
  fates: Uint8Array,
  deliveries: readonly Delivery[],
): KeptDeliveries {
  const kept: { readonly carrier: number; readonly packed: Buffer }[] = [];
  const open = new Set<number>();
  const stopped = new Set<number>();
  const inFlight = new Map<number, number>();
  for (const delivery of deliveries.filter(isClaimed)) {
    const next = keepPlaces(edit, fates, delivery);
    const left = new Set(next === null ? [] : openIds(next));
    for (const id of openIds(delivery)) (left.has(id) ? open : stopped).add(id);
    if (next === null) continue;
    kept.push({ carrier: next.carrier, packed: encodeDelivery(next) });
    inFlight.set(next.queue, (inFlight.get(next.queue) ?? 0) + 1);
  }
  const flags = flagsOf(deliveries.filter((delivery) => !isClaimed(delivery)));
  return { deliveries: kept, open, stopped, inFlight, flags };
}

/** Null where no task of it goes on. */
function keepPlaces(edit: PreparedEdit, fates: Uint8Array, delivery: Delivery): Delivery | null {
  const { groupOf } = edit.structure;
  const goesOn = (id: number): boolean => fates[id] === fateCode.kept;
  const group = mostCommonGroup(edit, openIds(delivery).filter(goesOn));
  if (group === undefined) return null;
  const open = delivery.ids.map(
    (id, place) => delivery.open[place] === true && goesOn(id) && groupOf[id] === group,
  );
  return { ...delivery, group, open };
}

function flagsOf(unclaimed: readonly Delivery[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const delivery of unclaimed) {
    const flags = delivery.starts > 0 ? delivery.flags | single : delivery.flags;
    if (flags !== 0) for (const id of openIds(delivery)) found.set(id, flags);
  }
  return found;
}

function openIds({ ids, open }: Delivery): readonly number[] {
  return ids.filter((_, place) => open[place]);
}

/** Undefined where none goes on. */
function mostCommonGroup({ structure }: PreparedEdit, ids: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const id of ids) {
    const group = structure.groupOf[id] ?? 0;
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
