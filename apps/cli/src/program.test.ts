import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { runCli } from './program.ts';
import { createTerminal } from './terminal.ts';

/** Carries out a command line in a folder without server or spec. */
async function run(...argv: readonly string[]) {
  const told = { stdout: '', stderr: '' };
  const streamTo = (name: keyof typeof told) => ({
    write: (text: string) => {
      told[name] += text;
    },
  });
  const terminal = createTerminal({
    stdout: streamTo('stdout'),
    stderr: streamTo('stderr'),
    env: {},
    color: false,
  });
  const stdin = Readable.from([]);
  const code = await runCli(argv, { terminal, env: {}, cwd: '/nonexistent', stdin });
  return { code, ...told };
}

test('lists every command in its help', async () => {
  const { code, stdout } = await run('--help');

  expect(code).toBe(0);
  const commands = stdout
    .slice(stdout.indexOf('Commands:'), stdout.indexOf('Examples:'))
    .match(/^ {2}[a-z-]+/gm);
  expect(commands?.map((name) => name.trim())).toEqual([
    'dev',
    'run',
    'plan',
    'validate',
    'submit',
    'ls',
    'tags',
    'get',
    'why',
    'watch',
    'logs',
    'cancel',
    'pause',
    'resume',
    'retry',
    'edit',
    'diff',
    'export',
    'import',
    'rm',
    'stats',
    'webhooks',
    'workers',
    'doctor',
    'import-daggyr',
    'settings',
    'help',
  ]);
});

test('the help of a command tells the options that all have', async () => {
  const { stdout } = await run('ls', '--help');

  const global = stdout.slice(stdout.indexOf('Global Options:'));
  expect(global).toContain('--url <url>');
  expect(global).toContain('--json');
});

test('prints its version', async () => {
  expect(await run('--version')).toMatchObject({ code: 0, stdout: '0.1.0\n' });
});

test.each([
  ['an unknown command', ['vaildate'], 'Did you mean validate?'],
  ['an unknown option', ['ls', '--limt', '3'], 'Did you mean --limit?'],
  ['a missing argument', ['run'], "missing required argument 'spec'"],
  ['a number that is none', ['ls', '--limit', 'many'], 'must be a whole number from 1 to 10000'],
  ['an unknown state', ['ls', '--state', 'done'], 'Allowed choices are created, submitting'],
  ['a state that a retry does not take', ['retry', 'r', '--state', 'waiting'], 'choices are succe'],
  ['a state that a cancel does not take', ['cancel', 'r', '--state', 'failed'], 'choices are wait'],
  ['a revision that is no number', ['edit', 'r', 'x', '--revision', 'b'], 'must be a whole number'],
  ['a tag without a key', ['ls', '--tag', '=x'], 'write a tag such as team=data'],
  ['an empty argument', ['rm', ''], 'rm: <run> is empty'],
  ['an empty second argument', ['get', 'r', ' '], 'get: <task> is empty'],
  ['what a command does not take', ['get'], '(runnel get --help tells how it is used)'],
  [
    'options that exclude each other',
    ['dev', '--memory', '--redis', 'redis://h'],
    'cannot be used',
  ],
  ['a server that is no address', ['ls', '--url', 'host:1'], '--url host:1: must be an address'],
  ['no server', ['ls'], 'give --url or RUNNEL_URL'],
  ['a spec that is not there', ['run', 'no.yaml'], 'there is no file no.yaml'],
  ['a tag without a value', ['run', '-', '--tag', 'x'], 'write a name and a value'],
  ['a parameter without values', ['run', '-', '-p', 'X'], 'write a name and values'],
])('ends with 2 and the remedy for %s', async (_, argv, message) => {
  const { code, stdout, stderr } = await run(...argv);

  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('ends with 3 where the server can not be reached', async () => {
  const { code, stderr } = await run('ls', '--url', 'http://127.0.0.1:1');

  expect(stderr).toContain("http://127.0.0.1:1 can't be reached");
  expect(code).toBe(3);
});

test('a bundle that is not there is a wrong call', async () => {
  const { code, stderr } = await run('import', 'nothing.ndjson', '--url', 'http://127.0.0.1:1');

  expect(code).toBe(2);
  expect(stderr).toContain('there is no file nothing.ndjson');
});

test('a wrong time is told before anything is asked', async () => {
  const { code, stderr } = await run('ls', '--since', 'yesterday', '--url', 'http://127.0.0.1:1');

  expect(code).toBe(2);
  expect(stderr).toContain('write a time such as 2030-01-31');
});
