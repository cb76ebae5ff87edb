import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/runnel.mjs', import.meta.url));

/** A folder that goes with the test. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'runnel-cli-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A `runnel` of its own, as a user starts it; ends with the test, also where that fails. */
export interface StartedCommand extends Disposable {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Until stderr has the text; throws where the command ends before. */
  waitFor(text: string): Promise<void>;
  end(): Promise<number | null>;
}

export function startCommand(cwd: string, ...argv: readonly string[]): StartedCommand {
  const { RUNNEL_URL: _url, RUNNEL_TOKEN: _token, ...env } = process.env;
  const child = spawn(process.execPath, [bin, ...argv], { cwd, env, stdio: 'pipe' });
  child.stdin.end();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = once(child, 'close');
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async waitFor(text) {
      while (!stderr.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended without saying "${text}":\n${stderr}`);
        await Promise.race([once(child.stderr, 'data'), closed]);
      }
    },
    async end() {
      await closed;
      return child.exitCode;
    },
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}

/** Runs a command to its end. */
export async function runCommand(cwd: string, ...argv: readonly string[]) {
  using command = startCommand(cwd, ...argv);
  const code = await command.end();
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}
