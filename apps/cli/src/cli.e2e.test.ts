import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runCommand, startCommand, temporaryFolder } from './command-for-tests.ts';

/** A stack starts in about two seconds; machines that run all tests at once are slow. */
const timeout = 60_000;

test('validates a spec without a server and names every place', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(
    join(folder.path, 'bad.yaml'),
    `tasks:
  - class: a
    executor: locl
    details: { command: [echo] }
  - class: b
    parents: [aa]
    executor: noop
`,
  );

  const { code, stdout, stderr } = await runCommand(folder.path, 'validate', 'bad.yaml');

  expect(stderr).toContain('bad.yaml:3:5  tasks[0].executor: no executor is named "locl"');
  expect(stderr).toContain('bad.yaml:6:15  tasks[1].parents[0]: ');
  expect(stderr).toContain('2 errors in bad.yaml');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('tells as JSON what is wrong', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'bad.json'), '{\n  "tasks": [{ "clas": "a" }]\n}');

  const { code, stdout } = await runCommand(folder.path, 'validate', 'bad.json', '--json');

  const answer = z
    .object({ valid: z.boolean(), errors: z.array(z.object({ line: z.number() })) })
    .parse(JSON.parse(stdout));
  expect(answer.valid).toBe(false);
  expect(answer.errors[0]?.line).toBe(2);
  expect(code).toBe(2);
});

test('runs a spec here, shows what failed and ends with 1', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(
    join(folder.path, 'run.yaml'),
    `parameters: { N: [1, 2, 3] }
tasks:
  - { class: fine, parameters: [N], executor: noop }
  - { class: broken, executor: local, details: { command: [sh, -c, 'echo "no table" >&2; exit 7'] } }
`,
  );

  const { code, stdout, stderr } = await runCommand(
    folder.path,
    ...['run', 'run.yaml', '--local', '-p', 'N=2,3', '--name', 'demo', '--json'],
  );

  const run = z.object({ name: z.string(), state: z.string(), taskCount: z.number() });
  expect(run.parse(JSON.parse(stdout))).toEqual({ name: 'demo', state: 'failed', taskCount: 3 });
  expect(stderr).toContain('failed broken: exit: ');
  expect(stderr).toContain('| no table');
  expect(code).toBe(1);
});

test('cancels the run when it is interrupted', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(
    join(folder.path, 'run.yaml'),
    'tasks: [{ class: nap, executor: local, details: { command: [sleep, "60"] } }]',
  );
  using command = startCommand(folder.path, 'run', 'run.yaml');
  await command.waitFor('1 running');

  command.child.kill('SIGINT');

  expect(await command.end()).toBe(130);
  expect(command.stderr()).toContain('no --url or RUNNEL_URL: running here');
  expect(command.stderr()).toMatch(/cancelled in .*: 1 cancelled/);
});
