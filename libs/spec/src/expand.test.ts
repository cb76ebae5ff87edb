import { describe, expect, test } from 'vitest';
import { parseDocument } from './document.ts';
import { describePlan, expand, options } from './expand.test-kit.ts';
import { expandSpec } from './expand.ts';

const climate = `
name: climate-report
tags: { env: test, team: data }
parameters:
  CITY: [seattle, new-york]
  YEAR: { from: 2012, to: 2015 }
exclude: [{ CITY: new-york, YEAR: 2012 }]
defaults: { executor: local, retries: { limit: 2, backoff: 5s }, timeout: 10m }
tasks:
  - class: pull
    details: { command: [node, "{{run.source}}/pull.ts", "{{CITY}}"] }
  - class: clean
    parents: [{ class: pull, match: true }]       # the same CITY; a bare name means every instance
    details: { command: [node, "{{run.source}}/clean.ts", "{{CITY}}", "{{YEAR}}"] }
  - class: report
    parents: [clean]
    details: { command: [node, "{{run.source}}/report.ts"], environment: { FILES: "{{#outputs.clean}}{{file}} {{/outputs.clean}}" } }
`;

describe('expandSpec', () => {
  test('expands the climate example', () => {
    const spec = parseDocument(climate, 'yaml').value;

    const { plan, warnings } = expandSpec(spec, options);

    expect(warnings).toEqual([]);
    expect(plan.name).toBe('climate-report');
    expect(plan.tags).toEqual({ env: 'test', team: 'data' });
    expect(plan.nodeCount).toBe(10);
    expect(plan.barrierCount).toBe(0);
    expect(describePlan(plan)).toEqual({
      ids: [
        'pull:CITY=seattle',
        'pull:CITY=new-york',
        'clean:CITY=seattle,YEAR=2012',
        'clean:CITY=seattle,YEAR=2013',
        'clean:CITY=seattle,YEAR=2014',
        'clean:CITY=seattle,YEAR=2015',
        'clean:CITY=new-york,YEAR=2013',
        'clean:CITY=new-york,YEAR=2014',
        'clean:CITY=new-york,YEAR=2015',
        'report',
      ],
      edges: {
        'clean:CITY=seattle,YEAR=2012': ['pull:CITY=seattle succeeded all'],
        'clean:CITY=seattle,YEAR=2013': ['pull:CITY=seattle succeeded all'],
        'clean:CITY=seattle,YEAR=2014': ['pull:CITY=seattle succeeded all'],
        'clean:CITY=seattle,YEAR=2015': ['pull:CITY=seattle succeeded all'],
        'clean:CITY=new-york,YEAR=2013': ['pull:CITY=new-york succeeded all'],
        'clean:CITY=new-york,YEAR=2014': ['pull:CITY=new-york succeeded all'],
        'clean:CITY=new-york,YEAR=2015': ['pull:CITY=new-york succeeded all'],
        report: [
          'clean:CITY=seattle,YEAR=2012 succeeded all',
          'clean:CITY=seattle,YEAR=2013 succeeded all',
          'clean:CITY=seattle,YEAR=2014 succeeded all',
          'clean:CITY=seattle,YEAR=2015 succeeded all',
          'clean:CITY=new-york,YEAR=2013 succeeded all',
          'clean:CITY=new-york,YEAR=2014 succeeded all',
          'clean:CITY=new-york,YEAR=2015 succeeded all',
        ],
      },
    });
    expect(plan.groups.map((group) => [group.class, group.axes, group.inputs])).toEqual([
      ['pull', ['CITY'], []],
      ['clean', ['CITY', 'YEAR'], [{ class: 'pull', single: true }]],
      ['report', [], [{ class: 'clean', single: false }]],
    ]);
    expect(plan.groups.map((group) => group.readsOutputs)).toEqual([false, false, true]);
    expect([...plan.groupRanges]).toEqual([0, 0, 2, 1, 9, 2]);
    expect(plan.groups[0]).toMatchObject({
      kind: 'task',
      executor: 'local',
      pool: 'default',
      priority: 0,
      timeoutMs: 600_000,
      retries: { limit: 2, backoffMs: 5000, factor: 2, maxDelayMs: 300_000, onExitCodes: null },
      successExitCodes: [0],
      allowFailure: false,
      resources: {},
      templated: true,
    });
  });

  test('expands the smallest spec', () => {
    expect(describePlan(expand({ tasks: [{ class: 'a', executor: 'noop' }] }))).toEqual({
      ids: ['a'],
      edges: {},
    });
  });
});

test('executors are shown details as they are written beside those of the first task', () => {
  const shown: unknown[] = [];
  const executors = {
    names: () => ['local'],
    check: (...given: unknown[]) => {
      shown.push(given);
      return [];
    },
  };
  const details = { command: ['echo', '{{CITY}}'], stdin: { secret: 'NAME' } };
  const spec = { parameters: { CITY: ['oslo'] }, tasks: [{ class: 'a', details }] };

  expandSpec(spec, { ...options, executors });

  expect(shown).toEqual([['local', { ...details, command: ['echo', 'oslo'] }, details]]);
});

test('a reference to a secret is kept as it is written', () => {
  const details = { command: ['echo', '{{CITY}}'], stdin: { secret: 'NAME' } };

  const plan = expand({ parameters: { CITY: ['oslo'] }, tasks: [{ class: 'a', details }] });

  expect(plan.groups[0]?.details).toEqual(details);
});
