import { parseDocument, validateSpec } from '@runnel/spec';
import type { ApiContext } from './context.ts';

/** After so many, what a small spec needs is compiled; all together take a tenth of a second. */
const rounds = 30;

/** What a spec mostly has: parameters, a template, parents. */
export const sample = JSON.stringify({
  name: 'warm-up',
  parameters: { N: { from: 1, to: 20 } },
  defaults: { executor: 'noop' },
  tasks: [
    { class: 'first' },
    { class: 'work', parents: ['first'], details: { output: { n: '{{N}}' } } },
    { class: 'last', id: 'end', parents: [{ class: 'work', on: 'done' }] },
  ],
});

/**
 * Expands a sample before the first request comes: what has never run is compiled while somebody
 * waits for it, and twenty clients that submit at once after a start would wait a quarter of a second.
 */
export function warmUp({ catalog, settings }: Pick<ApiContext, 'catalog' | 'settings'>): void {
  for (let round = 0; round < rounds; round++) {
    const { value } = parseDocument(sample, 'json');
    validateSpec(value, { limits: settings, executors: catalog, pools: ['default'] });
  }
}
