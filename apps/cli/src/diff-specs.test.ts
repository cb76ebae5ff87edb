import { expect, test } from 'vitest';
import { diffSpecs, isSame } from './diff-specs.ts';
import { renderDiff } from './render-diff.ts';
import { createStyle } from './style.ts';

const before = {
  name: 'n',
  parallelism: 2,
  tasks: [
    { class: 'a', details: { command: ['x'], environment: { A: '1' } } },
    { class: 'work', id: 'one' },
    { class: 'gone' },
  ],
};

test('tells added, removed and changed tasks, and the fields that changed', () => {
  const after = {
    name: 'n',
    parallelism: 4,
    tasks: [
      { class: 'new' },
      { class: 'work', id: 'one' },
      { class: 'a', details: { command: ['x'], environment: { A: '2' } }, retries: 3 },
    ],
  };

  const diff = diffSpecs(before, after);

  expect(diff).toEqual({
    run: [{ field: 'parallelism', before: 2, after: 4 }],
    added: ['new'],
    removed: ['gone'],
    changed: [
      {
        task: 'a',
        fields: [
          { field: 'details.environment.A', before: '1', after: '2' },
          { field: 'retries', after: 3 },
        ],
      },
    ],
  });
  expect(renderDiff(diff, { before: 'r@1', after: 'r@2' }, createStyle(false))).toEqual([
    '--- r@1',
    '+++ r@2',
    '  run',
    '-   parallelism: 2',
    '+   parallelism: 4',
    '  a',
    '-   details.environment.A: "1"',
    '+   details.environment.A: "2"',
    '+   retries: 3',
    '- gone',
    '+ new',
  ]);
});

test('an object of tasks is the same as a list, and entries of one class are told by their order', () => {
  const list = { tasks: [{ class: 'a', executor: 'noop' }] };

  expect(isSame(diffSpecs({ tasks: { a: { executor: 'noop' } } }, list))).toBe(true);
  expect(diffSpecs(list, { tasks: [...list.tasks, { class: 'a' }] }).added).toEqual(['a #2']);
});
