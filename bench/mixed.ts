/** Durations of three classes: of 200 tasks in order, one takes 2 s, 20 take 50 ms and 179 take 1 ms. */
export const mixed = [
  { class: 'slow', ms: 2_000, isOf: (task: number) => task % 200 === 0 },
  { class: 'medium', ms: 50, isOf: (task: number) => task % 10 === 5 },
  { class: 'quick', ms: 1, isOf: () => true },
] as const;

export function mixedOf(task: number): { readonly class: string; readonly ms: number } {
  const found = mixed.find(({ isOf }) => isOf(task));
  if (found === undefined) throw new Error(`task ${task} is of no class`);
  return found;
}
