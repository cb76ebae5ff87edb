import { describe, expect, test } from 'vitest';
import { type BadSpec, issuesOf } from './expand.test-kit.ts';

const cases: readonly BadSpec[] = [
  [
    `an id twice`,
    `tasks:
  - { class: a, id: x, executor: noop }
  - { class: b, id: x, executor: noop }`,
    [
      `tasks[1].id (line 3, column 17): the id "x" is used twice: tasks[0] has it too; ids are unique in a run`,
    ],
  ],
  [
    `a class twice without ids`,
    `tasks:
  - { class: a, executor: noop }
  - { class: a, executor: noop }`,
    [
      `tasks[1] (line 3, column 5): the id "a" is used twice: tasks[0] has it too; entries of one class need ids of their own`,
    ],
  ],
  [
    `an id that another entry composes`,
    `parameters: { X: [1, 2] }
tasks:
  - { class: a, executor: noop, parameters: [X] }
  - { class: b, id: "a:X=2", executor: noop }`,
    [
      `tasks[1].id (line 4, column 17): the id "a:X=2" is used twice: tasks[0] has it too; ids are unique in a run`,
    ],
  ],
  [
    `expanded entries that overlap`,
    `tasks:
  - { class: a, executor: noop, parameters: { X: [1, 2] } }
  - { class: a, executor: noop, parameters: { X: [2, 3] } }`,
    [
      `tasks[1] (line 3, column 5): the id "a:X=2" is used twice: tasks[0] has it too; ids are unique in a run`,
    ],
  ],
  [
    `an unknown parent`,
    `tasks:
  - { class: echoer, executor: noop }
  - { class: b, executor: noop, parents: [echo] }`,
    [
      `tasks[1].parents[0] (line 3, column 43): no task has the class "echo" (did you mean "echoer"?)`,
    ],
  ],
  [
    `an unknown parent in an object`,
    `tasks:
  - { class: a, executor: noop, parents: [{ class: nobody }] }`,
    [`tasks[0].parents[0].class (line 2, column 45): no task has the class "nobody"`],
  ],
  [
    `an unknown id`,
    `tasks:
  - { class: a, id: first, executor: noop }
  - { class: a, id: second, executor: noop, parents: [{ id: fist }] }`,
    [
      `tasks[1].parents[0].id (line 3, column 57): no task has the id "fist" (did you mean "first"?)`,
    ],
  ],
  [
    `an id where a class belongs`,
    `tasks:
  - { class: a, id: first, executor: noop }
  - { class: b, executor: noop, parents: [first] }`,
    [
      `tasks[1].parents[0] (line 3, column 43): no task has the class "first": it is the id of a task; write { id: "first" }`,
    ],
  ],
  [
    `an unknown child`,
    `tasks:
  - { class: a, executor: noop, children: [b] }`,
    [`tasks[0].children[0] (line 2, column 44): no task has the class "b"`],
  ],
  [
    `its own parent`,
    `tasks:
  - { class: a, executor: noop, parents: [a] }`,
    [`tasks[0].parents[0] (line 2, column 43): "a" is its own parent`],
  ],
  [
    `its own parent by class`,
    `tasks:
  - { class: a, id: a1, executor: noop }
  - { class: a, id: a2, executor: noop, parents: [a] }`,
    [
      `tasks[1].parents[0] (line 3, column 51): "a2" is its own parent: it is one of the class "a"; name single tasks with { id }`,
    ],
  ],
  [
    `a cycle`,
    `tasks:
  - { class: a, executor: noop, parents: [c] }
  - { class: b, executor: noop, parents: [a] }
  - { class: c, executor: noop, parents: [b] }`,
    [`tasks[0] (line 2, column 5): the tasks wait for each other: a → b → c → a`],
  ],
  [
    `a cycle from both sides`,
    `tasks:
  - { class: a, executor: noop, children: [b] }
  - { class: b, executor: noop, children: [{ id: a }] }`,
    [`tasks[0] (line 2, column 5): the tasks wait for each other: a → b → a`],
  ],
  [
    `a cycle through a class`,
    `tasks:
  - { class: a, id: a1, executor: noop, parents: [b] }
  - { class: a, id: a2, executor: noop }
  - { class: b, executor: noop, parents: [a] }`,
    [`tasks[0] (line 2, column 5): the tasks wait for each other: a1 → b → a1`],
  ],
  [
    `a parent with unknown fields`,
    `tasks:
  - { class: a, executor: noop }
  - { class: b, executor: noop, parents: [{ class: a, macth: true }] }`,
    [
      `tasks[1].parents[0].macth (line 3, column 55): unknown field "macth" (did you mean "match"?)`,
    ],
  ],
  [
    `a parent that is a number`,
    `tasks:
  - { class: b, executor: noop, parents: [5] }`,
    [`tasks[0].parents[0] (line 2, column 43): expected a class, { class, match } or { id }`],
  ],
  [
    `match of a wrong type`,
    `tasks:
  - { class: b, executor: noop, parents: [{ class: a, match: 7 }] }`,
    [`tasks[0].parents[0].match (line 2, column 55): expected true or a list of parameter names`],
  ],
  [
    `on beside another rule`,
    `tasks:
  - { class: a, executor: noop }
  - { class: b, executor: noop, runIf: all-done, parents: [{ class: a, on: failed }] }`,
    [
      `tasks[1].parents[0].on (line 3, column 72): "on" goes only with the default runIf, and "b" has runIf all-done`,
    ],
  ],
  [
    `one edge with two conditions`,
    `tasks:
  - { class: a, executor: noop, children: [{ class: b, on: failed }] }
  - { class: b, executor: noop, parents: [a] }`,
    [
      `tasks[1].parents[0] (line 3, column 43): the same edge from "a" is given with on: failed and with on: succeeded`,
    ],
  ],
  [
    `one edge with two conditions through a match`,
    `parameters: { X: [1, 2] }
tasks:
  - { class: a, executor: noop, parameters: [X] }
  - { class: b, executor: noop, parameters: [X], parents: [{ class: a, match: true }, { id: "a:X=2", on: failed }] }`,
    [
      `tasks[1].parents (line 4, column 50): the same edge from "a:X=2" is given with on: succeeded and with on: failed`,
    ],
  ],
  [
    `an unknown rule`,
    `tasks: [{ class: a, executor: noop, runIf: all-success }]`,
    [
      `tasks[0].runIf (line 1, column 37): expected "all-succeeded", "none-failed", "any-succeeded", "any-failed" or "all-done", got "all-success"`,
    ],
  ],
  [
    `optional without match`,
    `tasks:
  - { class: a, executor: noop }
  - { class: b, executor: noop, parents: [{ class: a, optional: true }] }`,
    [`tasks[1].parents[0].optional (line 3, column 55): "optional" goes only with "match"`],
  ],
  [
    `match without shared parameters`,
    `parameters: { X: [1], Y: [1] }
tasks:
  - { class: a, executor: noop, parameters: [X] }
  - { class: b, executor: noop, parameters: [Y], parents: [{ class: a, match: true }] }`,
    [
      `tasks[1].parents[0].match (line 4, column 72): "b" and "a" share no parameter that could match`,
    ],
  ],
  [
    `match of a parameter that one does not use`,
    `parameters: { X: [1], Y: [1] }
tasks:
  - { class: a, executor: noop, parameters: [X] }
  - { class: b, executor: noop, parameters: [X, Y], parents: [{ class: a, match: [Y] }] }`,
    [`tasks[1].parents[0].match[0] (line 4, column 83): "a" does not use the parameter "Y"`],
  ],
  [
    `match without a counterpart`,
    `parameters: { X: [1, 2, 3] }
tasks:
  - { class: a, executor: noop, parameters: { X: [2] } }
  - { class: b, executor: noop, parameters: [X], parents: [{ class: a, match: true }] }`,
    [
      `tasks[1].parents[0] (line 4, column 60): "b:X=1" has no counterpart in "a" (nor has 1 other); "optional: true" allows that`,
    ],
  ],
  [
    `match without a counterpart, from the parent`,
    `parameters: { X: [1, 2] }
tasks:
  - { class: a, executor: noop, parameters: [X], children: [{ class: b, match: true }] }
  - { class: b, executor: noop, parameters: { X: [2] } }`,
    [
      `tasks[0].children[0] (line 3, column 61): "a:X=1" has no counterpart in "b"; "optional: true" allows that`,
    ],
  ],
];

describe('ids and edges: what is wrong is named with its place', () => {
  test.each(cases)('%s', (_, text, expected) => {
    const issues = issuesOf(text);

    expect(issues).toEqual(expected);
  });
});
