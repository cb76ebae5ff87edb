import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../command-for-tests.ts';
import { runCli } from '../program.ts';
import { createTerminal } from '../terminal.ts';

async function diff(cwd: string, before: string, after: string) {
  const told = { stdout: '', stderr: '' };
  const streamTo = (name: keyof typeof told) => ({
    write: (text: string) => {
      told[name] += text;
    },
  });
  const streams = { stdout: streamTo('stdout'), stderr: streamTo('stderr') };
  const terminal = createTerminal({ ...streams, env: {}, color: false });
  const argv = ['diff', before, after];
  const code = await runCli(argv, { terminal, env: {}, cwd, stdin: Readable.from([]) });
  return { code, ...told };
}

test('a file with a task a line is compared with a file of another form', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'a.ndjson'), '{"name":"n"}\n\n{"class":"a"}\n{"class":"b"}\n');
  writeFileSync(join(folder.path, 'b.yaml'), 'name: n\ntasks: [{ class: a }, { class: c }]\n');

  const { code, stdout } = await diff(folder.path, 'a.ndjson', 'b.yaml');

  expect(code).toBe(0);
  expect(stdout).toContain('- b');
  expect(stdout).toContain('+ c');
});

test('a line that is no JSON is told with its place', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'a.ndjson'), '{"name":"n"}\n{"class":\n');
  writeFileSync(join(folder.path, 'b.yaml'), 'tasks: [{ class: a }]\n');

  const { code, stderr } = await diff(folder.path, 'a.ndjson', 'b.yaml');

  expect(stderr).toContain('a.ndjson:2: not valid JSON: ');
  expect(code).toBe(2);
});
