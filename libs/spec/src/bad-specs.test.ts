import { describe, expect, test } from 'vitest';
import { type BadSpec, issuesOf } from './expand.test-kit.ts';

const cases: readonly BadSpec[] = [
  [
    `neither JSON nor YAML`,
    `tasks: [a, b`,
    [
      `not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] (line 1, column 13)`,
    ],
  ],
  [`text`, `hello`, [`expected an object, got "hello" (line 1, column 1)`]],
  [`a list`, `- class: a`, [`expected an object, got a list (line 1, column 1)`]],
  [`nothing at all`, ``, [`expected an object, got null`]],
  [
    `no tasks`,
    `name: x`,
    [`tasks (line 1, column 1): missing: expected a list of tasks or an object of tasks by class`],
  ],
  [
    `an empty list of tasks`,
    `tasks: []`,
    [`tasks (line 1, column 1): there are no tasks: name at least one`],
  ],
  [
    `an empty object of tasks`,
    `tasks: {}`,
    [`tasks (line 1, column 1): there are no tasks: name at least one`],
  ],
  [
    `tasks of a wrong type`,
    `tasks: 5`,
    [`tasks (line 1, column 1): expected a list of tasks or an object of tasks by class, got 5`],
  ],
  [
    `a task that is text`,
    `tasks: [a]`,
    [`tasks[0] (line 1, column 9): expected an object, got "a"`],
  ],
  [
    `a task without a class`,
    `tasks:
  - executor: noop`,
    [`tasks[0].class (line 2, column 5): missing: expected a string`],
  ],
  [
    `an unknown field of the run`,
    `nmae: x
tasks: [{ class: a, executor: noop }]`,
    [`nmae (line 1, column 1): unknown field "nmae" (did you mean "name"?)`],
  ],
  [
    `unknown fields of a task`,
    `tasks:
  - class: a
    executor: noop
    detials: {}
    colour: red`,
    [
      `tasks[0].detials (line 4, column 5): unknown field "detials" (did you mean "details"?)`,
      `tasks[0].colour (line 5, column 5): unknown field "colour"; known are class, id, parents, children, parameters, runIf, kind, executor, details, allowFailure, retries, timeout, successExitCodes, pool, priority, resources, templated, version, generator`,
    ],
  ],
  [
    `wrong types everywhere`,
    `name: 5
tags: { a: 1, b: [x] }
parallelism: 0.5
priority: 5000
onFailure: retry
tasks:
  - class: a
    executor: 7
    priority: high
    allowFailure: "no"
    successExitCodes: [0, 300]
    resources: { gpu: 0 }`,
    [
      `name (line 1, column 1): expected a string, got 5`,
      `tags.a (line 2, column 9): a tag's value is a string: write "1"`,
      `tags.b (line 2, column 15): expected a string, got a list`,
      `onFailure (line 5, column 1): expected "continue" or "stop", got "retry"`,
      `parallelism (line 3, column 1): expected a whole number, got 0.5`,
      `priority (line 4, column 1): expected a number of at most 1000`,
      `tasks[0].executor (line 8, column 5): expected a string, got 7`,
      `tasks[0].allowFailure (line 10, column 5): expected true or false, got "no"`,
      `tasks[0].successExitCodes[1] (line 11, column 27): expected a number of at most 255`,
      `tasks[0].priority (line 9, column 5): expected a number, got "high"`,
      `tasks[0].resources.gpu (line 12, column 18): expected a number more than 0`,
    ],
  ],
  [
    `a class with a dot`,
    `tasks: [{ class: a.b, executor: noop }]`,
    [
      `tasks[0].class (line 1, column 11): the class "a.b" has a dot: dots belong to processes and generated tasks`,
    ],
  ],
  [
    `a class with a space`,
    `tasks: [{ class: a b, executor: noop }]`,
    [
      `tasks[0].class (line 1, column 11): "a b" is no class: write a letter or "_", then letters, digits, "_" or "-", at most 100`,
    ],
  ],
  [
    `an id of digits`,
    `tasks: [{ class: a, id: "17", executor: noop }]`,
    [
      `tasks[0].id (line 1, column 21): an id of digits only would be taken for the number of a task`,
    ],
  ],
  [
    `an id with a space`,
    `tasks: [{ class: a, id: "a b", executor: noop }]`,
    [
      `tasks[0].id (line 1, column 21): an id has 1 to 200 characters, none of them a space or a control character`,
    ],
  ],
  [
    `bare numbers as durations`,
    `defaults: { timeout: 10 }
tasks:
  - { class: a, executor: noop, retries: { limit: 1, backoff: 5 } }`,
    [
      `defaults.timeout (line 1, column 13): 10 could be 10ms or 10s: write "10s" or "10ms"`,
      `tasks[0].retries.backoff (line 3, column 54): 5 could be 5ms or 5s: write "5s" or "5ms"`,
    ],
  ],
  [
    `durations that are wrong`,
    `tasks:
  - { class: a, executor: noop, timeout: 10 minutes }
  - { class: b, executor: noop, timeout: 0s }
  - { class: c, executor: noop, timeout: 30d }`,
    [
      `tasks[0].timeout (line 2, column 33): "10 minutes" is no duration: write a number and its unit, such as "500ms", "10s", "10m", "2h" or "1d"`,
      `tasks[1].timeout (line 3, column 33): a timeout is longer than 0ms`,
      `tasks[2].timeout (line 4, column 33): a duration is at most 24d`,
    ],
  ],
  [
    `too many retries`,
    `tasks: [{ class: a, executor: noop, retries: 255 }]`,
    [`tasks[0].retries (line 1, column 37): expected a number of at most 254`],
  ],
  [
    `an unknown executor`,
    `tasks: [{ class: a, executor: locla }]`,
    [
      `tasks[0].executor (line 1, column 21): no executor is named "locla" (did you mean "local"?); known are local, noop, sleep`,
    ],
  ],
  [
    `an unknown executor in the defaults`,
    `defaults: { executor: magic }
tasks: [{ class: a }, { class: b }]`,
    [
      `defaults.executor (line 1, column 13): no executor is named "magic"; known are local, noop, sleep`,
    ],
  ],
  [
    `an unknown pool`,
    `tasks: [{ class: a, executor: noop, pool: lrage }]`,
    [
      `tasks[0].pool (line 1, column 37): no pool is named "lrage" (did you mean "large"?); known are default, large`,
    ],
  ],
  [
    `bad details`,
    `tasks:
  - { class: pull, details: { comand: [echo] } }
  - { class: push, details: { command: [echo, { a: 1 }] } }`,
    [
      `tasks[0].details.command (line 2, column 20): task "pull", executor local: expected a list`,
      `tasks[1].details.command[1] (line 3, column 47): task "push", executor local: expected a string`,
    ],
  ],
  [
    `a generator in a form that there is not`,
    `tasks: [{ class: a, executor: noop, generator: yes-please }]`,
    [
      `tasks[0].generator (line 1, column 37): write "generator: true", "generator: daggyr" where it prints tasks as DaggyR has them, or leave it out for a task that generates nothing`,
    ],
  ],
  [
    `a process`,
    `tasks: [{ class: a, tasks: [{ class: b }] }]`,
    [
      `tasks[0].tasks (line 1, column 21): processes (an entry with "tasks" of its own) are not supported yet`,
    ],
  ],
  [
    `a kind that is planned`,
    `tasks: [{ class: a, kind: timer }]`,
    [`tasks[0].kind (line 1, column 21): the kind "timer" is not supported yet`],
  ],
  [
    `an unknown kind`,
    `tasks: [{ class: a, kind: bariier }]`,
    [
      `tasks[0].kind (line 1, column 21): no kind is named "bariier" (did you mean "barrier"?); known are task, barrier`,
    ],
  ],
  [
    `a barrier with an executor`,
    `tasks: [{ class: a, kind: barrier, executor: noop }]`,
    [
      `tasks[0].executor (line 1, column 36): unknown field "executor"; known are class, id, parents, children, parameters, runIf, kind`,
    ],
  ],
  [
    `a class in an object of tasks`,
    `tasks: { a: { class: b, executor: noop } }`,
    [
      `tasks.a.class (line 1, column 15): in an object of tasks the class is the key: leave "class" out`,
    ],
  ],
  [
    `an object of tasks with a wrong entry`,
    `tasks: { a: null, b: { executor: noop, parents: [a] } }`,
    [`tasks.a (line 1, column 10): expected an object, got null`],
  ],
  [
    `a forbidden name`,
    `tasks: [{ class: a, executor: noop, details: { __proto__: { x: 1 } } }]`,
    [`tasks[0].details.__proto__ (line 1, column 48): the name "__proto__" is not allowed`],
  ],
  [
    `an unquoted template`,
    `tasks: [{ class: a, details: { command: [echo, {{CITY}}] } }]`,
    [`a name can not be an object: put a template in quotes, "{{NAME}}" (line 1, column 49)`],
  ],
  [
    `nesting that is too deep`,
    `tasks: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]`,
    [`nested deeper than 64 levels`],
  ],
  [
    `several mistakes at once`,
    `parameters: { CITY: [] }
tasks:
  - { class: a, executor: nope, parents: [x] }
  - { class: b, executor: noop, timeout: 5, parents: [a] }
  - { class: c, executor: noop, parents: [b, bb] }`,
    [
      `parameters.CITY (line 1, column 15): the list is empty: a parameter needs a value`,
      `tasks[0].executor (line 3, column 17): no executor is named "nope" (did you mean "noop"?); known are local, noop, sleep`,
      `tasks[1].timeout (line 4, column 33): 5 could be 5ms or 5s: write "5s" or "5ms"`,
      `tasks[0].parents[0] (line 3, column 43): no task has the class "x"`,
      `tasks[2].parents[1] (line 5, column 46): no task has the class "bb"`,
    ],
  ],
];

describe('the form of a spec: what is wrong is named with its place', () => {
  test.each(cases)('%s', (_, text, expected) => {
    const issues = issuesOf(text);

    expect(issues).toEqual(expected);
  });
});
