import { expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['0s', 0],
])('reads the duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', 'soon', '5 parsecs', '-3s', '1h30', 'constructor'])('refuses %j', (text) => {
  expect(() => parseDuration(text)).toThrow(RangeError);
});

test('names both readings of a bare number', () => {
  expect(() => parseDuration('30')).toThrow('write "30s" for seconds or "30ms"');
});

test.each([
  ['65536', 65_536],
  ['64KB', 65_536],
  ['64 kib', 65_536],
  ['1.5G', 1_610_612_736],
  ['10B', 10],
])('reads the size %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', 'KB', '1TB', '-1', '0x10'])('refuses the size %j', (text) => {
  expect(() => parseSize(text)).toThrow(RangeError);
});

test('writes in the largest unit that needs no fraction', () => {
  expect([90_000, 604_800_000, 0, 1].map(formatDuration)).toEqual(['90s', '1w', '0ms', '1ms']);
  expect([65_536, 1000, 0].map(formatSize)).toEqual(['64KB', '1000B', '0B']);
});
