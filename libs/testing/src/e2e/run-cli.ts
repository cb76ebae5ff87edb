import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../../../apps/cli/bin/runnel.mjs', import.meta.url));

/** What a command prints, and the code that it ends with. */
export async function runCli(
  url: string,
  ...args: readonly string[]
): Promise<{ readonly text: string; readonly code: number | null }> {
  const child = spawn(process.execPath, [bin, ...args, '--url', url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return { text, code: child.exitCode };
}
