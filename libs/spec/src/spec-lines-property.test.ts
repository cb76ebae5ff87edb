import { finishSteps, type Issue, type Plan, SpecError } from '@runnel/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { options } from './expand.test-kit.ts';
import { expandSpec } from './expand.ts';
import { expandLargeJson } from './expand-large.ts';
import { SpecLines } from './spec-lines.ts';

const classes = ['a', 'b', 'c', 'd'];
const ids = ['a', 'x', 'y', 'z', 'ü', '5x'];
/** Mostly nothing. */
function seldom<T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

const on = fc.constantFrom('succeeded', 'failed', 'done', undefined);

const ref = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: fc.constantFrom(...ids), on }) },
  { weight: 3, arbitrary: fc.constantFrom(...classes, 'x', 'nobody') },
  { weight: 2, arbitrary: fc.record({ class: fc.constantFrom(...classes, 'aa'), on }) },
);
const refs = fc.option(fc.array(ref, { maxLength: 4 }), { nil: undefined });

const entry = fc.record({
  class: fc.constantFrom(...classes),
  id: fc.option(fc.constantFrom(...ids, '7'), { nil: undefined }),
  kind: fc.constantFrom(undefined, undefined, undefined, 'task', 'barrier'),
  executor: fc.constantFrom('noop', 'noop', 'noop', 'noop', 'local', 'nop'),
  runIf: fc.constantFrom(undefined, undefined, undefined, 'any-failed', 'all-done', 'none-failed'),
  timeout: fc.constantFrom(undefined, undefined, '5s', '10'),
  colour: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 1),
  details: fc.constantFrom<unknown>(
    undefined,
    undefined,
    null,
    {},
    { n: 1 },
    { n: 2 },
    { n: '{{task.id}}' },
    { n: '{{outputs.a}}' },
    { n: '{{outputs.b.file}}' },
    { command: ['true'] },
    { n: { secret: 'KEY' } },
    { n: '{{CITY}}' },
  ),
  parents: refs,
  children: seldom(3, fc.array(ref, { maxLength: 2 })),
});

const soundEntry = fc.record({
  class: fc.constantFrom(...classes),
  kind: fc.constantFrom(undefined, undefined, undefined, 'barrier'),
  details: fc.constantFrom<unknown>(undefined, {}, { n: 1 }, { n: 2 }, { n: '{{task.id}}' }),
  reads: seldom(9, fc.constant({ n: '{{outputs.a}}' })),
  runIf: fc.constantFrom(undefined, undefined, undefined, 'any-failed', 'all-done'),
  priority: fc.constantFrom(undefined, undefined, 3),
  earlier: fc.array(fc.record({ at: fc.nat(20), on }), { maxLength: 4 }),
  later: fc.array(fc.nat(20), { maxLength: 2 }),
  ofClass: seldom(2, fc.constantFrom(...classes)),
  childClass: seldom(8, fc.constantFrom(...classes)),
  wrong: seldom(60, ref),
});

/** Sound each by itself, with ids of their own: many plans come about, and errors between tasks. */
const soundEntries = fc.array(soundEntry, { minLength: 1, maxLength: 12 }).map((raws) =>
  raws.map(
    (
      { earlier, later, ofClass, childClass, wrong, kind, details, reads, priority, ...rest },
      index,
    ) => ({
      ...rest,
      kind,
      ...(kind === 'barrier' ? {} : { executor: 'noop', details: reads ?? details, priority }),
      id: `t${index}`,
      parents: [
        ...earlier
          .filter(({ at }) => at < index)
          .map((one) => ({ id: `t${one.at}`, on: rest.runIf === undefined ? one.on : undefined })),
        ...(ofClass === undefined || ofClass <= rest.class ? [] : [ofClass]),
        ...(wrong === undefined ? [] : [wrong]),
      ],
      children: [
        ...later.filter((at) => at > index && at < raws.length).map((at) => ({ id: `t${at}` })),
        ...(childClass === undefined || childClass >= rest.class ? [] : [childClass]),
      ],
    }),
  ),
);

const head = fc.record({
  name: fc.constantFrom(undefined, 'n'),
  defaults: fc.constantFrom(undefined, { timeout: '1m' }, { details: { n: 1 } }),
  onFailure: fc.constantFrom(undefined, 'stop'),
});

type Found =
  | { readonly plan: Omit<Plan, 'payloads'>; readonly payloads: readonly unknown[] }
  | { readonly issues: readonly string[] };

function describe(find: () => Plan): Found {
  try {
    const { payloads, ...plan } = find();
    return { plan, payloads: [...payloads()] };
  } catch (error: unknown) {
    if (!(error instanceof SpecError)) throw error;
    return { issues: error.issues.map(describeIssue).sort() };
  }
}

function describeIssue({ path, message }: Issue): string {
  return `${JSON.stringify(path)} ${message}`;
}

function fail(): never {
  throw new Error('this is not read task by task');
}

function readLines(lines: readonly unknown[], chunkSize = 50): Plan {
  const bytes = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
  const spec = new SpecLines(options);
  for (let at = 0; at < bytes.length; at += chunkSize)
    spec.write(bytes.subarray(at, at + chunkSize));
  return finishSteps(spec.end()).plan;
}

test('lines are what the same tasks are as JSON: the same plan, or the same errors', () => {
  let plans = 0;
  fc.assert(
    fc.property(head, soundEntries, fc.integer({ min: 1, max: 500 }), (first, tasks, chunkSize) => {
      const document: unknown = JSON.parse(JSON.stringify({ ...first, tasks }));

      const asJson = describe(() => expandSpec(document, options).plan);
      const asLines = describe(() => readLines([first, ...tasks], chunkSize));

      const text = JSON.stringify(document, null, chunkSize % 3);
      const asLarge = describe(() => finishSteps(expandLargeJson(text, options))?.plan ?? fail());

      expect(asLines).toEqual(asJson);
      expect(asLarge).toEqual(asJson);
      if ('plan' in asLines) plans++;
    }),
    { numRuns: 1500 },
  );
  expect(plans).toBeGreaterThan(200);
});

/** Of what is wrong by itself the one says more, since it goes on to look at what lies between. */
test('what is refused as JSON is refused line by line, for the same entries', () => {
  fc.assert(
    fc.property(head, fc.array(entry, { minLength: 1, maxLength: 6 }), (first, tasks) => {
      const document: unknown = JSON.parse(JSON.stringify({ ...first, tasks }));

      const asJson = describe(() => expandSpec(document, options).plan);
      const asLines = describe(() => readLines([first, ...tasks]));

      if ('plan' in asJson) expect(asLines).toEqual(asJson);
      else expect('issues' in asLines).toBe(true);
    }),
    { numRuns: 1500 },
  );
});
