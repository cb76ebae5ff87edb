import { Command, CommanderError } from 'commander';
import type { AddCommand, Cli } from './cli.ts';
import { addValidate } from './commands/validate.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { reportError } from './report-error.ts';
import { readVersion } from './version.ts';

const commands: readonly AddCommand[] = [addValidate];

const examples = `
Examples:
  runnel dev                                    everything on this machine, with a Redis of its own
  runnel run examples/climate-report/run.yaml   run a spec to its end
  runnel run run.yaml -p CITY=seattle --dry-run show what would run
  runnel submit run.yaml --url http://host:2503 hand it to a server, print the run's id
  runnel ls --state failed                      runs that failed
  runnel logs RUN TASK -f                       follow the log of a task

Exit codes: 0 ok, 1 the run failed, 2 wrong usage or spec, 3 server or Redis unreachable,
4 the run was cancelled, 130 interrupted.`;

/** Carries out one command line. */
export async function runCli(
  argv: readonly string[],
  context: Omit<Cli, 'finish'>,
): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const cli: Cli = {
    ...context,
    finish: (code) => {
      exitCode = code;
    },
  };
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error: unknown) {
    // It has told the reason already.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(error, cli.terminal);
  }
}

/** The whole command line, without carrying it out. */
export function createProgram(cli: Cli): Command {
  const { terminal } = cli;
  const program = new Command('runnel')
    .description('Run directed acyclic graphs of tasks on Redis.')
    .version(readVersion(), '-V, --version')
    .option('--url <url>', 'the server; default RUNNEL_URL, else the "runnel dev" of this folder')
    .option('--token <token>', "the server's token; RUNNEL_TOKEN keeps it out of the process list")
    .option('--json', 'data as JSON')
    .option('--no-color', 'no colours; NO_COLOR does the same')
    .addHelpText('after', examples)
    .showHelpAfterError('(runnel --help lists the commands)')
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.say(text.trimEnd()),
    })
    .exitOverride();
  for (const add of commands) add(program, cli);
  return program;
}
