import { type Group, type Issue, type Plan, SpecError } from '@runnel/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { options, payloadsOf } from './expand.test-kit.ts';
import { expandSpec } from './expand.ts';
import { SpecJson } from './spec-json.ts';
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
  | {
      readonly plan: Omit<Plan, 'payloads' | 'texts' | 'groups'>;
      readonly groups: readonly Omit<Group, 'details'>[];
      readonly payloads: readonly unknown[];
    }
  | { readonly issues: readonly string[] };

async function describe(find: () => Plan | Promise<Plan>): Promise<Found> {
  try {
    const found = await find();
    const { payloads: _, texts: __, groups, ...plan } = found;
    const rules = groups.map(({ details: ___, ...group }) => group);
    return { plan, groups: rules, payloads: payloadsOf(found) };
  } catch (error: unknown) {
    if (!(error instanceof SpecError)) throw error;
    return { issues: error.issues.map(describeIssue).sort() };
  }
}

function describeIssue({ path, message }: Issue): string {
  return `${JSON.stringify(path)} ${message}`;
}

function* cut(text: string, size: number): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readLines(lines: readonly unknown[], size = 50): Promise<Plan> {
  const spec = new SpecLines(options);
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  for (const chunk of cut(text, size)) await spec.write(chunk);
  return (await spec.end()).plan;
}

async function readJson(text: string, size: number): Promise<Plan> {
  const spec = new SpecJson(options, { largeBytes: 0, heldBytes: 0 });
  for (const chunk of cut(text, size)) await spec.write(chunk);
  const found = await spec.end();
  if (found.kind === 'document') throw new Error('this was not read task by task');
  return found.expansion.plan;
}

/** Zlib's threads take their time when much else is going on. */
const timeout = 30_000;

const chunkSize = fc.integer({ min: 1, max: 500 });

test('lines are what the same tasks are as JSON: the same plan, or the same errors', {
  timeout,
}, async () => {
  let plans = 0;
  await fc.assert(
    fc.asyncProperty(head, soundEntries, chunkSize, async (first, tasks, size) => {
      const document: unknown = JSON.parse(JSON.stringify({ ...first, tasks }));

      const asJson = await describe(() => expandSpec(document, options).plan);
      const asLines = await describe(() => readLines([first, ...tasks], size));

      expect(asLines).toEqual(asJson);
      if ('plan' in asLines) plans++;
    }),
    { numRuns: 500 },
  );
  expect(plans).toBeGreaterThan(60);
});

test('tasks that are read one by one are what they are as a whole, wherever the head stands', {
  timeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(head, soundEntries, chunkSize, async (first, tasks, size) => {
      const document: unknown = JSON.parse(JSON.stringify({ ...first, tasks }));
      const isHeadFirst = size % 2 === 0;
      const text = JSON.stringify(
        isHeadFirst ? { ...first, tasks } : { tasks, ...first },
        null,
        size % 3,
      );

      const asWhole = await describe(() => expandSpec(document, options).plan);
      const oneByOne = await describe(() => readJson(text, size));

      expect(oneByOne).toEqual(asWhole);
    }),
    { numRuns: 500 },
  );
});

/** Of what is wrong by itself the one says more, since it goes on to look at what lies between. */
test('what is refused as JSON is refused line by line, for the same entries', {
  timeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      head,
      fc.array(entry, { minLength: 1, maxLength: 6 }),
      async (first, tasks) => {
        const document: unknown = JSON.parse(JSON.stringify({ ...first, tasks }));

        const asJson = await describe(() => expandSpec(document, options).plan);
        const asLines = await describe(() => readLines([first, ...tasks]));

        if ('plan' in asJson) expect(asLines).toEqual(asJson);
        else expect('issues' in asLines).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
