import { expect, test } from 'vitest';
import { echo } from './translate.test-kit.ts';
import { translateGenerated } from './translate-generated.ts';

test('a map that was printed becomes native tasks, with the edges among them', () => {
  const found = translateGenerated({
    one: { ...echo('{{x}}'), children: ['two'] },
    two: { ...echo(), parents: ['of-the-run'] },
  });

  expect(found).toEqual({
    kind: 'entries',
    warnings: [],
    entries: [
      {
        class: 'one',
        id: 'one',
        templated: false,
        children: [{ id: 'two' }],
        details: { command: ['echo', '{{x}}'] },
      },
      {
        class: 'two',
        id: 'two',
        templated: false,
        parents: [{ id: 'of-the-run' }],
        details: { command: ['echo'] },
      },
    ],
  });
});

test("a list that was printed is expanded by the run's parameters", () => {
  const found = translateGenerated([{ class: 'g', ...echo('N') }], {
    parameters: { N: ['1', '2'] },
  });

  expect(found).toMatchObject({ kind: 'entries', entries: [{ id: 'g.0' }, { id: 'g.1' }] });
});

test('places in what was printed begin at its own top', () => {
  expect(translateGenerated({ a: { details: {} } })).toMatchObject({
    kind: 'issues',
    issues: [{ path: ['a', 'details', 'command'] }],
  });
  expect(translateGenerated('nothing')).toMatchObject({
    kind: 'issues',
    issues: [{ path: [], message: 'expected a list of tasks, or an object of tasks by name' }],
  });
});
