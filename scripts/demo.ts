import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadSettings } from '@runnel/service';

// Runs the main example with a stack of its own and says where the report lies.
const folder = resolve(import.meta.dirname, '..');
const startedAt = Date.now();

const cli = spawn(
  process.execPath,
  ['apps/cli/src/main.ts', 'run', 'examples/climate-report/run.yaml', '--local'],
  { cwd: folder, stdio: 'inherit' },
);
// Ctrl-C reaches the whole group: the command closes in order, and this waits for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => cli.kill('SIGTERM'));
const [code, signal] = await once(cli, 'exit');

if (code !== 0) {
  process.stderr.write(`demo: the run ended with ${signal ?? `code ${code}`}\n`);
  process.exitCode = typeof code === 'number' ? code : 1;
} else {
  const { dataDir } = loadSettings({ cwd: folder }).settings;
  const report = findReport(join(dataDir, 'runs'));
  if (report === undefined) throw new Error(`the run succeeded, but ${dataDir}/runs has no report`);
  process.stdout.write(`\nThe report is in ${report}\n`);
}

/** The newest report that this demo's run can have written. */
function findReport(runs: string): string | undefined {
  return readdirSync(runs)
    .map((run) => join(runs, run, 'report.html'))
    .map((file) => ({ file, at: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .filter(({ at }) => at >= startedAt)
    .sort((a, b) => b.at - a.at)[0]?.file;
}
