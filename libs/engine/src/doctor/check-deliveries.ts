import { type Delivery, isClaimed, stateCode } from '@runnel/store';
import type { FindingKind, Findings } from './finding.ts';
import type { RunLook, SeenDelivery } from './run-look.ts';

/** Open deliveries: well-formed, not empty, and each of their open tasks still theirs alone. */
export function checkDeliveries(look: RunLook, findings: Findings): void {
  const seen = new Set<number>();
  for (const one of inOrder(look.deliveries)) {
    const { carrier, raw, delivery } = one;
    if (delivery === null || look.facts.handle.queues[delivery.queue] === undefined) {
      findings.add('delivery-malformed', `${raw.length} bytes`, {
        carrier,
        mend: { by: 'delivery', carrier, raw, isMalformed: true, places: [] },
      });
      continue;
    }
    if (look.now.isExact) checkPlaces(look, { ...one, delivery }, seen, findings);
  }
}

/** A task that is in two belongs to the one that was claimed, else to the older. */
function inOrder(deliveries: readonly SeenDelivery[]): readonly SeenDelivery[] {
  const rank = ({ delivery }: SeenDelivery): number =>
    delivery !== null && isClaimed(delivery) ? 0 : 1;
  return [...deliveries].sort((a, b) => rank(a) - rank(b) || a.carrier - b.carrier);
}

function checkPlaces(
  look: RunLook,
  { carrier, raw, delivery }: SeenDelivery & { readonly delivery: Delivery },
  seen: Set<number>,
  findings: Findings,
): void {
  const wrong: { readonly task: number; readonly place: number; readonly kind: FindingKind }[] = [];
  let open = 0;
  delivery.ids.forEach((task, place) => {
    if (!delivery.open[place]) return;
    open++;
    const code = look.now.states[task] ?? 0;
    const isEnded = (code >= 2 && code <= 6) || code === stateCode.delayed;
    if (isEnded) wrong.push({ task, place, kind: 'delivery-ended' });
    else if (seen.has(task)) wrong.push({ task, place, kind: 'delivery-twice' });
    else seen.add(task);
  });
  const places = wrong.map(({ place }) => place);
  const mend = { by: 'delivery', carrier, raw, isMalformed: false, places } as const;
  if (open === 0) findings.add('delivery-empty', `of ${delivery.ids.length}`, { carrier, mend });
  for (const [index, { task, kind }] of wrong.entries()) {
    const code = look.now.states[task] ?? 0;
    findings.add(kind, `its state byte is ${code}`, {
      ...{ task, carrier },
      ...(index === 0 ? { mend } : {}),
    });
  }
}
