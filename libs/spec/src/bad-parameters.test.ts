import { describe, expect, test } from 'vitest';
import { type BadSpec, issuesOf } from './expand.test-kit.ts';

const cases: readonly BadSpec[] = [
  [
    `an unknown parameter in a template`,
    `parameters: { CITY: [a] }
tasks:
  - class: a
    details: { command: [echo, "{{CTIY}}"] }`,
    [
      `tasks[0].details.command[1] (line 4, column 32): {{CTIY}}: no parameter is named "CTIY" (did you mean "CITY"?); if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `braces of its own`,
    `tasks:
  - class: a
    details: { command: [docker, ps, --format, "{{.Names}}"] }`,
    [
      `tasks[0].details.command[3] (line 3, column 48): {{.Names}}: write a name between the braces; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `an unknown parameter in a list`,
    `parameters: { CITY: [a] }
tasks: [{ class: a, executor: noop, parameters: [TOWN] }]`,
    [`tasks[0].parameters[0] (line 2, column 50): no parameter is named "TOWN"`],
  ],
  [
    `a section over a parameter`,
    `parameters: { CITY: [a] }
tasks:
  - class: a
    details: { command: ["{{#CITY}}x{{/CITY}}"] }`,
    [
      `tasks[0].details.command[0] (line 4, column 26): {{#CITY}}: a section is for outputs, such as {{#outputs.pull}}…{{/outputs.pull}}; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `a section that stays open`,
    `tasks:
  - class: a
    details: { command: ["{{#outputs.b}}x"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): the template can't be read: unclosed section "outputs.b"; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `a tag that stays open`,
    `tasks:
  - class: a
    details: { command: ["{{CITY"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): the template can't be read: unclosed tag; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `a partial`,
    `tasks:
  - class: a
    details: { command: ["{{> secrets}}"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): {{> secrets}}: partials are not allowed; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `other delimiters`,
    `tasks:
  - class: a
    details: { command: ["{{=<% %>=}}<% x %>"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): {{= … =}}: the delimiters can not be changed; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `an unknown field of the run in a template`,
    `tasks:
  - class: a
    details: { command: ["{{run.date}}"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): {{run.date}} is not known; known are {{run.id}}, {{run.name}}, {{run.source}}; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `the name of a run that has none`,
    `tasks:
  - class: a
    details: { command: ["{{run.name}}"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): {{run.name}} is not known: the run has no name`,
    ],
  ],
  [
    `a bare {{outputs}}`,
    `tasks:
  - class: a
    details: { command: ["{{outputs}}"] }`,
    [
      `tasks[0].details.command[0] (line 3, column 26): {{outputs}}: name a parent class, such as {{outputs.pull}}; if the braces are the task's own, write "templated: false"`,
    ],
  ],
  [
    `outputs of a task that is no direct parent`,
    `tasks:
  - { class: a, executor: noop }
  - { class: b, executor: noop, parents: [a] }
  - { class: c, parents: [b], details: { command: ["{{outputs.a.file}}"] } }`,
    [
      `tasks[2].details.command[0] (line 4, column 52): {{outputs.a.file}}: "a" is no direct parent of "c": only outputs of direct parents can be read`,
    ],
  ],
  [
    `outputs of nobody`,
    `tasks:
  - { class: pull, executor: noop }
  - { class: c, parents: [pull], details: { command: ["{{outputs.pul.file}}"] } }`,
    [
      `tasks[1].details.command[0] (line 3, column 55): {{outputs.pul.file}}: no task has the class "pul" (did you mean "pull"?)`,
    ],
  ],
  [
    `a field of several outputs`,
    `tasks:
  - { class: a, executor: noop, parameters: { X: [1, 2] } }
  - { class: b, parents: [a], details: { command: ["{{outputs.a.file}}"] } }`,
    [
      `tasks[1].details.command[0] (line 3, column 52): {{outputs.a.file}}: "a" can be several tasks here, so its outputs are a list: write {{#outputs.a}}…{{/outputs.a}}`,
    ],
  ],
  [
    `a value twice`,
    `parameters: { CITY: [a, b, a] }
tasks: [{ class: a, executor: noop }]`,
    [`parameters.CITY[2] (line 1, column 28): the value "a" is there twice: it is also number 0`],
  ],
  [
    `an empty parameter`,
    `parameters: { CITY: [] }
tasks: [{ class: a, executor: noop }]`,
    [`parameters.CITY (line 1, column 15): the list is empty: a parameter needs a value`],
  ],
  [
    `a parameter of a wrong type`,
    `parameters: { CITY: seattle }
tasks: [{ class: a, executor: noop }]`,
    [`parameters.CITY (line 1, column 15): expected a list of values or { from, to, step }`],
  ],
  [
    `a parameter with a bad name`,
    `parameters: { "my city": [a], run: [b] }
tasks: [{ class: a, executor: noop }]`,
    [
      `parameters["my city"] (line 1, column 15): "my city" is no name for a parameter: write a letter or "_", then letters, digits or "_"`,
      `parameters.run (line 1, column 31): the name "run" is reserved`,
    ],
  ],
  [
    `a parameter written twice`,
    `parameters: { CITY: [a], "{{CITY}}": [b] }
tasks: [{ class: a, executor: noop }]`,
    [`parameters["{{CITY}}"] (line 1, column 26): the parameter "CITY" is given twice`],
  ],
  [
    `ranges that are wrong`,
    `parameters:
  A: { from: 5, to: 1 }
  B: { from: 1, to: 5, step: 0 }
  C: { from: 1, to: "2024-01-01" }
  D: { from: "2024-02-30", to: "2024-03-01" }
  E: { from: "2024-01-01", to: "2024-03-01", step: 1x }
tasks: [{ class: a, executor: noop }]`,
    [
      `parameters.A (line 2, column 3): the range is empty: from 5 is after to 1`,
      `parameters.B.step (line 3, column 24): expected a whole number from 1, got 0`,
      `parameters.C (line 4, column 3): from and to must both be whole numbers or both be dates`,
      `parameters.D.from (line 5, column 8): "2024-02-30" is no date: write it as YYYY-MM-DD, such as "2024-01-31"`,
      `parameters.E.step (line 6, column 46): expected a step such as "1d", "1w", "1mo" or "1y", got "1x"`,
    ],
  ],
  [
    `a range without an end`,
    `parameters: { F: { from: 1 } }
tasks: [{ class: a, executor: noop }]`,
    [`parameters.F.to (line 1, column 15): expected a whole number or a date such as "2024-01-31"`],
  ],
  [
    `a product over the limit`,
    `parameters: { A: { from: 1, to: 100000 }, B: { from: 1, to: 100000 } }
tasks: [{ class: a, executor: noop, parameters: [A, B] }]`,
    [
      `tasks[0] (line 2, column 9): the parameters make 10000000000 combinations, more than the limit of 2000000`,
    ],
  ],
  [
    `a range over the limit`,
    `parameters: { A: { from: 1, to: 1000000000 } }
tasks: [{ class: a, executor: noop }]`,
    [`parameters.A (line 1, column 15): 1000000000 values are more than the limit of 2000000`],
  ],
  [
    `too many tasks`,
    `parameters: { A: { from: 1, to: 1500000 } }
tasks:
  - { class: a, executor: noop, parameters: [A] }
  - { class: b, executor: noop, parameters: [A] }`,
    [`tasks (line 2, column 1): the run has 3000000 tasks or more, over the limit of 2000000`],
  ],
  [
    `rows that are not complete`,
    `parameters: [{ A: 1, B: 2 }, { A: 3 }, { A: 4, B: 5, C: 6 }]
tasks: [{ class: a, executor: noop }]`,
    [
      `parameters[1] (line 1, column 30): the row has no value for "B"`,
      `parameters[2].C (line 1, column 54): no parameter is named "C"`,
    ],
  ],
  [
    `exclude of an unknown parameter`,
    `parameters: { CITY: [a] }
exclude: [{ TOWN: a }]
tasks: [{ class: a, executor: noop }]`,
    [`exclude[0].TOWN (line 2, column 13): no parameter is named "TOWN"`],
  ],
  [
    `exclude of everything`,
    `parameters: { CITY: [a] }
exclude: [{ CITY: a }]
tasks: [{ class: a, executor: noop }]`,
    [`exclude (line 2, column 1): nothing is left: every combination is excluded`],
  ],
  [
    `include of half a row`,
    `parameters: { A: [1], B: [2] }
include: [{ A: 2 }]
tasks: [{ class: a, executor: noop }]`,
    [`include[0] (line 2, column 11): the row has no value for "B"`],
  ],
];

describe('parameters and templates: what is wrong is named with its place', () => {
  test.each(cases)('%s', (_, text, expected) => {
    const issues = issuesOf(text);

    expect(issues).toEqual(expected);
  });
});
