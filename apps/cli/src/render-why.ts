import type { WireReason, WireWhy } from '@runnel/client';
import { clean } from './clean.ts';
import { type Style, styleState } from './style.ts';

/** The summary, then each reason with what it names. */
export function renderWhy({ summary, reasons }: WireWhy, style: Style): readonly string[] {
  return [style.bold(clean(summary)), ...reasons.flatMap((reason) => renderReason(reason, style))];
}

function renderReason(reason: WireReason, style: Style): readonly string[] {
  const { code, detail, tasks = [], count = tasks.length, remedy, since, until } = reason;
  const rest = count - tasks.length;
  const times = [
    ...(since === undefined ? [] : [`since ${since}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
  ];
  return [
    `${style.blue(code)}  ${clean(detail)}`,
    ...tasks.map(({ id, number, state }) => `  ${id} (${number}) ${styleState(style, state)}`),
    ...(tasks.length > 0 && rest > 0 ? [style.dim(`  … and ${rest} more`)] : []),
    ...(times.length === 0 ? [] : [style.dim(`  ${times.join(', ')}`)]),
    ...(remedy === undefined ? [] : [`  do: ${remedy}`]),
  ];
}
