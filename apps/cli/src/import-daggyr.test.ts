import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { loadSettings } from '@runnel/service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from './program.ts';
import { createTerminal } from './terminal.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'runnel-import-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function importFiles(...paths: readonly string[]) {
  const told = { stdout: '', stderr: '' };
  const streamTo = (name: keyof typeof told) => ({
    write: (text: string) => {
      told[name] += text;
    },
  });
  const terminal = createTerminal({
    ...{ stdout: streamTo('stdout'), stderr: streamTo('stderr'), env: {}, color: false },
  });
  const stdin = Readable.from([]);
  const argv = ['import-daggyr', ...paths];
  const code = await runCli(argv, { terminal, env: {}, cwd: folder, stdin });
  return { code, ...told };
}

/** The settings of a process that is started with this file. */
function load(text: string) {
  writeFileSync(join(folder, 'runnel.yaml'), text);
  return loadSettings({ env: {}, cwd: folder }).settings;
}

test('what it prints is a settings file', async () => {
  const server = {
    server: { ip: '127.0.0.1', port: 2599 },
    pools: {
      main: { executor: 'local', workers: 3 },
      far: { executor: 'ssh', targets: [{ host: 'a' }] },
    },
  };
  writeFileSync(join(folder, 'server.json'), JSON.stringify(server));

  const { code, stdout, stderr } = await importFiles('server.json');

  expect(code).toBe(0);
  expect(stderr).toContain('server.json: pools.far.targets[0]: ');
  expect(load(stdout)).toMatchObject({
    ...{ host: '127.0.0.1', port: 2599, pools: ['default', 'main'], concurrency: 3 },
    knownPools: { default: {}, main: {}, far: {} },
  });
});

test('a file that is none says where', async () => {
  writeFileSync(join(folder, 'broken.json'), '{"pools": {"a": {"executor": "magic"}}}');
  writeFileSync(join(folder, 'text.json'), 'hello');

  const broken = await importFiles('broken.json');
  const text = await importFiles('text.json');
  const missing = await importFiles('missing.json');

  expect([broken.code, text.code, missing.code]).toEqual([2, 2, 2]);
  expect(broken.stderr).toContain('pools.a.executor: no executor of DaggyR');
  expect(text.stderr).toContain('text.json is not JSON');
  expect(missing.stderr).toContain("missing.json can't be read");
});

/** Settings as DaggyR's users write them, which are no part of the repository. */
const examples =
  process.env['RUNNEL_DAGGYR_SPECS'] ??
  fileURLToPath(new URL('../../../../shared/daggyr', import.meta.url));
const isThere = existsSync(examples);
const title = `DaggyR's own settings${isThere ? '' : ` (skipped: there is no ${examples})`}`;

describe.skipIf(!isThere)(title, () => {
  test.each([
    ['basic-server.json', { host: '0.0.0.0', port: 2503, pools: ['default', 'localhost'] }],
    ['ssh-server.json', { host: '0.0.0.0', knownPools: { local_ssh: {} } }],
    ['agent-server.json', { host: '0.0.0.0', port: 2503 }],
    ['agent.json', { host: '127.0.0.1', pools: ['default'] }],
  ])('%s becomes settings', async (name, expected) => {
    const { code, stdout, stderr } = await importFiles(join(examples, name));

    expect(code).toBe(0);
    expect(stderr).not.toBe('');
    expect(load(stdout)).toMatchObject(expected);
  });
});
