import { runCli } from './program.ts';
import { createTerminal } from './terminal.ts';

const argv = process.argv.slice(2);
const { stdin, stdout, stderr, env } = process;

// A reader that has seen enough (`runnel ls | head`) is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const terminal = createTerminal({ stdout, stderr, env, color: !argv.includes('--no-color') });
process.exitCode = await runCli(argv, { terminal, env, cwd: process.cwd(), stdin });
