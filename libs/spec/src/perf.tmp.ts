import { parseDocument } from './document.ts';
import { options } from './expand.test-kit.ts';
import { expandSpec } from './expand.ts';
import { compileTemplate } from './template.ts';

const mem = () => {
  (globalThis as any).gc?.();
  return Math.round(process.memoryUsage().rss / 1e6);
};
function t<T>(n: string, f: () => T): T {
  const a = performance.now();
  const r = f();
  console.log(n, Math.round(performance.now() - a), 'ms', mem(), 'MB');
  return r;
}
const which = process.argv[2];
if (which === 'product') {
  const plan = t(
    'product',
    () =>
      expandSpec(
        {
          parameters: { A: { from: 0, to: 999 }, B: { from: 0, to: 999 } },
          tasks: [
            { class: 'a', executor: 'noop', details: { x: '{{A}} {{B}}' } },
            {
              class: 'b',
              executor: 'noop',
              parents: [{ class: 'a', match: true }],
              details: { x: '{{A}}', y: '{{B}}' },
            },
            { class: 'c', executor: 'noop', parents: ['b'] },
          ],
        },
        { ...options, limits: { maxTasks: 16e6, maxProduct: 16e6 } },
      ).plan,
  );
  console.log(plan.nodeCount, plan.parents.length);
  let n = 0;
  t('payloads', () => {
    for (const p of plan.payloads()) n += p.values.length;
  });
  console.log(n);
  t(
    'one axis',
    () =>
      expandSpec(
        {
          parameters: { A: { from: 0, to: 999999 } },
          tasks: [
            { class: 'a', executor: 'noop', details: { x: '{{A}}' } },
            {
              class: 'b',
              executor: 'noop',
              parents: [{ class: 'a', match: true }],
              details: { x: '{{A}}' },
            },
          ],
        },
        { ...options, limits: { maxTasks: 16e6, maxProduct: 16e6 } },
      ).plan,
  );
  t(
    'exclude',
    () =>
      expandSpec(
        {
          parameters: { A: { from: 0, to: 999 }, B: { from: 0, to: 999 } },
          exclude: [{ A: 1, B: 1 }, { A: 5 }],
          tasks: [
            { class: 'a', executor: 'noop', details: { x: '{{A}} {{B}}' } },
            {
              class: 'b',
              executor: 'noop',
              parents: [{ class: 'a', match: true }],
              details: { x: '{{A}}' },
            },
          ],
        },
        { ...options, limits: { maxTasks: 16e6, maxProduct: 16e6 } },
      ).plan,
  );
}
if (which === 'irregular') {
  const N = Number(process.argv[3]);
  const text =
    '{"tasks":[' +
    Array.from({ length: N }, (_, i) =>
      JSON.stringify({
        class: 'work',
        id: `t${i}`,
        executor: 'noop',
        details: { command: ['echo', `${i}`] },
        parents: i ? [{ id: `t${i - 1}` }, { id: `t${i >> 1}` }] : [],
      }),
    ).join(',') +
    ']}';
  console.log(text.length);
  const doc = t('parse', () => parseDocument(text, 'json'));
  const plan = t(
    'expand',
    () => expandSpec(doc.value, { ...options, limits: { maxTasks: 16e6, maxProduct: 16e6 } }).plan,
  );
  console.log(plan.groups.length, plan.groupRanges.length, plan.parents.length);
  t('payloads', () => {
    let n = 0;
    for (const p of plan.payloads()) n += p.values.length;
  });
}
if (which === 'render') {
  const c = compileTemplate({
    command: ['node', '{{run.source}}/x.ts', '{{CITY}}', '{{YEAR}}'],
    environment: { A: 'b {{CITY}}' },
  });
  const ctx = {
    axes: ['CITY', 'YEAR'],
    values: ['seattle', 2012],
    run: { id: 'r', name: null, source: '/x' },
    task: { id: 't', attempt: 1 },
    outputs: {},
  };
  t('1M renders', () => {
    for (let i = 0; i < 1e6; i++) c.render(ctx);
  });
}
