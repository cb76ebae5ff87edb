import { expect, test } from 'vitest';
import { clean, oneLine } from './clean.ts';

test('what others wrote can not write to the terminal', () => {
  expect(clean('a\u001b[31mred\u001b]0;title\u0007\r\u0008\tb\nc')).toBe('ared\tb\nc');
});

test('a name stays in its line', () => {
  expect(oneLine('odd\nname\t\u001b[1mbold')).toBe('odd name bold');
});
