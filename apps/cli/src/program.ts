import { Command, CommanderError } from 'commander';
import type { AddCommand, Cli } from './cli.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import { reportError } from './report-error.ts';
import { readVersion } from './version.ts';

/** In the order of the help. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  dev: async () => (await import('./commands/dev.ts')).addDev,
  run: async () => (await import('./commands/run.ts')).addRun,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  validate: async () => (await import('./commands/validate.ts')).addValidate,
  submit: async () => (await import('./commands/submit.ts')).addSubmit,
  ls: async () => (await import('./commands/ls.ts')).addLs,
  tags: async () => (await import('./commands/tags.ts')).addTags,
  get: async () => (await import('./commands/get.ts')).addGet,
  why: async () => (await import('./commands/why.ts')).addWhy,
  watch: async () => (await import('./commands/watch.ts')).addWatch,
  logs: async () => (await import('./commands/logs.ts')).addLogs,
  cancel: async () => (await import('./commands/cancel.ts')).addCancel,
  pause: async () => (await import('./commands/pause.ts')).addPause,
  resume: async () => (await import('./commands/resume.ts')).addResume,
  retry: async () => (await import('./commands/retry.ts')).addRetry,
  edit: async () => (await import('./commands/edit.ts')).addEdit,
  diff: async () => (await import('./commands/diff.ts')).addDiff,
  export: async () => (await import('./commands/export.ts')).addExport,
  import: async () => (await import('./commands/import.ts')).addImport,
  rm: async () => (await import('./commands/rm.ts')).addRm,
  stats: async () => (await import('./commands/stats.ts')).addStats,
  webhooks: async () => (await import('./commands/webhooks.ts')).addWebhooks,
  workers: async () => (await import('./commands/workers.ts')).addWorkers,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  'import-daggyr': async () => (await import('./commands/import-daggyr.ts')).addImportDaggyr,
  settings: async () => (await import('./commands/settings.ts')).addSettings,
};

const examples = `
Examples:
  runnel dev                                    everything on this machine, with a Redis of its own
  runnel run examples/climate-report/run.yaml   run a spec to its end
  runnel run run.yaml -p CITY=seattle --dry-run show what would run
  runnel submit run.yaml --url http://host:2503 hand it to a server, print the run's id
  runnel ls --state failed                      runs that failed
  runnel why RUN                                what it waits for, or why it failed
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
    const program = await createProgram(cli, argv);
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error: unknown) {
    // It has told the reason already.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(error, cli.terminal);
  }
}

/** Loading what only other commands need would take most of the time of a quick one. */
async function loadCommands(argv: readonly string[]): Promise<readonly AddCommand[]> {
  const names = Object.keys(commands);
  const asked = names.filter((name) => argv.includes(name));
  const loads = (asked.length > 0 ? asked : names).map((name) => commands[name]);
  return Promise.all(loads.filter((load) => load !== undefined).map((load) => load()));
}

async function createProgram(cli: Cli, argv: readonly string[]): Promise<Command> {
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
    // Every command takes the options of the program.
    .configureHelp({ showGlobalOptions: true })
    .hook('preAction', (_program, command) => refuseEmpty(command))
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.say(text.trimEnd()),
    })
    .exitOverride();
  for (const add of await loadCommands(argv)) add(program, cli);
  for (const command of program.commands) {
    command.showHelpAfterError(`(runnel ${command.name()} --help tells how it is used)`);
  }
  return program;
}

/** `runnel rm "$RUN"` without such a variable would ask for something else. Throws UsageError. */
function refuseEmpty(command: Command): void {
  const at = command.args.findIndex((text) => text.trim() === '');
  if (at < 0) return;
  const name = command.registeredArguments[at]?.name() ?? 'argument';
  throw new UsageError(
    `${command.name()}: <${name}> is empty; where it comes from a variable, that is not set`,
  );
}
