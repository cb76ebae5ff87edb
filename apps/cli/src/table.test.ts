import { expect, test } from 'vitest';
import { createStyle } from './style.ts';
import { formatTable } from './table.ts';

test('pads columns to their widest cell', () => {
  expect(
    formatTable(
      ['RUN', 'STATE', 'TAGS'],
      [
        ['r1', 'succeeded', ''],
        ['run-2', 'failed', 'a=b'],
      ],
    ),
  ).toEqual(['RUN    STATE      TAGS', 'r1     succeeded', 'run-2  failed     a=b']);
});

test('counts what is seen, not what colours it', () => {
  const { red } = createStyle(true);

  const [, row = ''] = formatTable(['STATE', 'N'], [[red('failed'), '1']]);

  expect(row).toBe(`${red('failed')}  1`);
});

test('letters that are twice as wide take their room', () => {
  expect(
    formatTable(
      ['ID', 'STATE'],
      [
        ['日本', 'x'],
        ['🎉', 'y'],
        ['abcde', 'z'],
      ],
    ),
  ).toEqual(['ID     STATE', '日本   x', '🎉     y', 'abcde  z']);
});
