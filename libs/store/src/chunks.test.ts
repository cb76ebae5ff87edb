import { expect, test } from 'vitest';
import {
  decodeGroups,
  decodePayloads,
  encodeGroups,
  encodePayloads,
  type StoredGroup,
} from './chunks.ts';
import { deflateText } from './deflate-text.ts';

test('payloads are read as they were written', () => {
  const rows = [
    { values: ['x', 1, null] },
    { values: [1], id: 't', details: { n: null } },
    { values: [] },
  ];

  expect(decodePayloads(encodePayloads(rows))).toEqual(rows);
});

test('payloads in which nothing differs take nothing', () => {
  expect(encodePayloads([{ values: [] }, { values: [] }])).toBeNull();
  expect(decodePayloads(null)).toEqual([]);
});

test('payloads are found in the texts of tasks', () => {
  const texts = [
    '{"class":"a","id":"x","parents":["b"],"details":{"n":[1]}}',
    ' { "class" : "a" }\r',
    '{"class":"a","id":"y","details":null}',
  ];

  expect(decodePayloads(deflateText(Buffer.from(texts.join(',\n'))))).toEqual([
    { values: [], id: 'x', details: { n: [1] } },
    { values: [] },
    { values: [], id: 'y', details: {} },
  ]);
});

const usual: StoredGroup = {
  class: 'work',
  kind: 'task',
  executor: 'noop',
  pool: 'default',
  priority: 0,
  timeoutMs: null,
  retries: { limit: 0, backoffMs: 1_000, factor: 2, maxDelayMs: 300_000, onExitCodes: null },
  successExitCodes: [0],
  allowFailure: false,
  resources: {},
  version: null,
  axes: [],
  templated: true,
  details: {},
  inputs: [],
  readsOutputs: false,
  total: 3,
};

test('groups are read as they were written, whatever they leave to what is usual', () => {
  const groups: StoredGroup[] = [
    usual,
    {
      ...usual,
      kind: 'barrier',
      pool: 'large',
      priority: -1,
      timeoutMs: 5,
      retries: { ...usual.retries, limit: 1, onExitCodes: [1] },
      successExitCodes: [],
      allowFailure: true,
      resources: { gpu: 1 },
      axes: ['N'],
      templated: false,
      details: null,
      inputs: [{ class: 'a', single: true }],
      readsOutputs: true,
    },
  ];

  expect(decodeGroups(encodeGroups(groups))).toEqual(groups);
});

test('a usual group takes few bytes', () => {
  expect(encodeGroups([usual]).length).toBeLessThan(80);
});
