import { expect, test } from 'vitest';
import { createStyle } from './style.ts';
import { createTerminal, fitLine, type TerminalStream } from './terminal.ts';

interface Captured extends TerminalStream {
  text: string;
}

function capture(isTTY: boolean): Captured {
  const captured: Captured = {
    isTTY,
    columns: 40,
    rows: 10,
    text: '',
    write: (text) => {
      captured.text += text;
    },
  };
  return captured;
}

test('redraws the block below what is said', () => {
  const stderr = capture(true);
  const terminal = createTerminal({ stdout: capture(true), stderr, env: {}, color: true });

  terminal.show(['one', 'two']);
  terminal.say('hello');
  terminal.show([]);

  expect(stderr.text).toBe('one\ntwo\n\x1b[2A\r\x1b[Jhello\none\ntwo\n\x1b[2A\r\x1b[J');
});

test('draws no block where stderr is no screen', () => {
  const stderr = capture(false);
  const terminal = createTerminal({ stdout: capture(false), stderr, env: {}, color: true });

  terminal.show(['one']);
  terminal.say('hello');

  expect(stderr.text).toBe('hello\n');
});

test('keeps data on stdout and everything else on stderr', () => {
  const stdout = capture(false);
  const stderr = capture(false);
  const terminal = createTerminal({ stdout, stderr, env: {}, color: true });

  terminal.say('working');
  terminal.printJson({ id: 'r1' });

  expect(stdout.text).toBe('{\n  "id": "r1"\n}\n');
  expect(stderr.text).toBe('working\n');
});

test.each([
  ['NO_COLOR', { NO_COLOR: '1' }, true],
  ['--no-color', {}, false],
  ['a dumb terminal', { TERM: 'dumb' }, true],
])('leaves colours out for %s', (_, env, color) => {
  const terminal = createTerminal({ stdout: capture(true), stderr: capture(true), env, color });

  expect(terminal.style.red('text')).toBe('text');
});

test('cuts a line to the width that is seen', () => {
  const { red } = createStyle(true);

  expect(fitLine('short', 10)).toBe('short');
  expect(fitLine('0123456789abc', 10)).toBe('012345678…');
  expect(fitLine(`${red('0123456789')}abc`, 10)).toBe('\x1b[31m012345678\x1b[0m…');
});
