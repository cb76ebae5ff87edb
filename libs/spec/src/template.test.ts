import type { Json, JsonObject } from '@runnel/core';
import { describe, expect, test } from 'vitest';
import { compileTemplate, MissingOutputError, type RenderContext } from './template.ts';

function render(details: Json, context: Partial<RenderContext> = {}): Json {
  return compileTemplate(details).render({
    axes: ['CITY', 'YEAR', 'LIST'],
    values: ['new-york', 2012, [1, 'b']],
    run: { id: 'r1', name: 'climate', source: '/specs' },
    task: { id: 'pull:CITY=seattle', attempt: 2 },
    outputs: {},
    ...context,
  });
}

function withOutputs(text: string, outputs: JsonObject): Json {
  return render(text, { outputs });
}

describe('a template', () => {
  test('fills in parameters, the run and the task', () => {
    expect(
      render({
        command: ['{{run.source}}/pull.ts', '{{CITY}}-{{YEAR}}', '{{{CITY}}}{{&CITY}}'],
        environment: { RUN: '{{run.id}} {{ run.name }}', TASK: '{{task.id}}#{{task.attempt}}' },
        deep: [{ n: 1, ok: true, none: null, text: 'plain' }],
      }),
    ).toEqual({
      command: ['/specs/pull.ts', 'new-york-2012', 'new-yorknew-york'],
      environment: { RUN: 'r1 climate', TASK: 'pull:CITY=seattle#2' },
      deep: [{ n: 1, ok: true, none: null, text: 'plain' }],
    });
  });

  test('keeps the type of a leaf that is exactly one placeholder', () => {
    expect(
      render(['{{YEAR}}', '{{ LIST }}', '{{task.attempt}}', ' {{YEAR}}', 'l {{LIST}}']),
    ).toEqual([2012, [1, 'b'], 2, ' 2012', 'l [1,"b"]']);
  });

  test.each(['{{YEAR}}', 'a" b', "'; rm -rf /", 'two\nlines', '$(x)', '<&>', '{{> x}}', '\\'])(
    'never takes the value %j for anything but text',
    (value) => {
      const context = { axes: ['CITY', 'YEAR'], values: [value, 1] };

      expect(render({ command: ['echo', '{{CITY}}', 'x{{CITY}}y'] }, context)).toEqual({
        command: ['echo', value, `x${value}y`],
      });
    },
  );

  test('knows own values only', () => {
    expect(() => render('{{constructor}}')).toThrow('no parameter is named "constructor"');
    expect(() => withOutputs('{{outputs.a.constructor}}', { a: {} })).toThrow(MissingOutputError);
    expect(() => withOutputs('{{outputs.a.list.length}}', { a: { list: [1] } })).toThrow(
      MissingOutputError,
    );
    expect(() => withOutputs('{{outputs.toString}}', {})).toThrow(MissingOutputError);
  });

  test('leaves names of fields alone', () => {
    expect(render({ '{{CITY}}': '{{YEAR}}' })).toEqual({ '{{CITY}}': 2012 });
  });

  test('is the same object where there is nothing to fill in', () => {
    const details = { command: ['echo', 'a'] };

    expect(render(details)).toBe(details);
  });

  test('drops comments', () => {
    expect(render('a{{! not this }}b')).toBe('ab');
  });

  test('says which names it uses', () => {
    const { names, outputPaths } = compileTemplate({
      a: '{{CITY}} {{run.id}}',
      b: ['{{task.attempt}}', '{{#outputs.pull}}{{file}}{{/outputs.pull}}', '{{outputs.x.y}}'],
    });

    expect([...names.axes]).toEqual(['CITY']);
    expect([...names.run]).toEqual(['id']);
    expect([...names.task]).toEqual(['attempt']);
    expect(names.outputs.map((use) => use.class)).toEqual(['pull', 'x']);
    expect(outputPaths).toEqual([
      ['b', 1],
      ['b', 2],
    ]);
  });

  test.each([
    ['{{> part}}', '{{> part}}: partials are not allowed'],
    ['{{=<% %>=}}', '{{= … =}}: the delimiters can not be changed'],
    ['{{#CITY}}x{{/CITY}}', /a section is for outputs/],
    ['{{#run}}x{{/run}}', /a section is for outputs/],
    ['{{run}}', /known are {{run.id}}, {{run.name}}, {{run.source}}/],
    ['{{run.__proto__}}', /{{run.__proto__}} is not known/],
    ['{{task.class}}', /{{task.class}} is not known/],
    ['{{outputs}}', /name a parent class/],
    ['{{a..b}}', /write a name/],
    ['{{#outputs.a}}', /unclosed section/],
    ['{{/outputs.a}}', /unopened section/],
    ['{{CITY', /unclosed tag/],
  ])('refuses %s', (text, message) => {
    expect(() => compileTemplate(text)).toThrow(message);
  });
});

describe('outputs in a template', () => {
  const one = { pull: { file: 'a.csv', rows: 3, tags: ['x', 'y'], meta: { by: 'me' } } };
  const many = { clean: [{ file: 'a' }, { file: 'b' }] };

  test('are read by field', () => {
    expect(withOutputs('{{outputs.pull.file}}', one)).toBe('a.csv');
    expect(withOutputs('{{outputs.pull.rows}}', one)).toBe(3);
    expect(withOutputs('{{outputs.pull.meta.by}}/{{outputs.pull.tags.1}}', one)).toBe('me/y');
  });

  test('are kept as JSON where they are the whole leaf', () => {
    expect(withOutputs('{{outputs.clean}}', many)).toEqual([{ file: 'a' }, { file: 'b' }]);
    expect(withOutputs('= {{outputs.clean}}', many)).toBe('= [{"file":"a"},{"file":"b"}]');
  });

  test('are walked through by sections, with names of the output alone', () => {
    expect(withOutputs('{{#outputs.clean}}{{file}} {{/outputs.clean}}', many)).toBe('a b ');
    expect(withOutputs('{{#outputs.pull}}{{file}}{{/outputs.pull}}', one)).toBe('a.csv');
    expect(withOutputs('{{#outputs.pull.tags}}[{{.}}]{{/outputs.pull.tags}}', one)).toBe('[x][y]');
    expect(
      withOutputs('{{#outputs.pull}}{{#tags}}{{.}}:{{file}} {{/tags}}{{/outputs.pull}}', one),
    ).toBe('x:a.csv y:a.csv ');
    expect(() => withOutputs('{{#outputs.clean}}{{CITY}}{{/outputs.clean}}', many)).toThrow(
      '{{CITY}}: the output of the section has no such field',
    );
  });

  test('may be asked for by sections that tell whether something is there', () => {
    const text =
      '{{#outputs.pull.warning}}!{{/outputs.pull.warning}}{{^outputs.pull.warning}}{{CITY}}{{/outputs.pull.warning}}';

    expect(withOutputs(text, one)).toBe('new-york');
    expect(withOutputs(text, { pull: { warning: 'w' } })).toBe('!');
  });

  test('that lack a field are an error of their own', () => {
    expect(() => withOutputs('x {{outputs.pull.size}}', one)).toThrow(
      new MissingOutputError('outputs.pull.size', 'the output of pull'),
    );
    expect(() => withOutputs('{{outputs.other}}', one)).toThrow(
      '{{outputs.other}}: the output of other has no such field',
    );
  });
});
