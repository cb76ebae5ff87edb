import { type Client, fates, type WireEdited } from '@runnel/client';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, type Cli, parseWhole, readOptions } from '../cli.ts';
import { renderEdit, renderFate } from '../render-edit.ts';
import { requireServer, type Server } from '../server.ts';
import type { SpecFile } from '../spec-file.ts';
import { addSpecOptions, readSpec, specOptions } from '../spec-options.ts';
import { describeProblem, fromWire, toInvalidSpec } from '../spec-problems.ts';
import { sourceOf } from '../submit-spec.ts';

const editOptions = specOptions.extend({
  list: z.boolean().default(false),
  fate: z.enum(fates).optional(),
  revision: z.number().optional(),
});
type EditOptions = z.infer<typeof editOptions>;

const help = `
Tasks whose details, version, values and parents are the same keep their results; the others run again,
and so does all after them. Retries, timeouts, pools and the like may change without that.

Examples:
  runnel edit RUN run.yaml --dry-run          what would become of its tasks, by class
  runnel edit RUN run.yaml --dry-run --list   the tasks that would run again, and why
  runnel edit RUN run.yaml && runnel watch RUN`;

export const addEdit: AddCommand = (program, cli) => {
  addSpecOptions(program.command('edit').argument('<run>', 'the id of a run'))
    .description('give a run another spec; what it does not change keeps its result')
    .option('--list', 'with --dry-run: each task that does not keep its result, and why')
    .addOption(new Option('--fate <fate>', 'with --list: only these tasks').choices(fates))
    .option(
      '--revision <n>',
      'only if that is its revision still; default: whatever it has now',
      parseWhole('--revision', 1, 2 ** 31 - 1),
    )
    .addHelpText('after', help)
    .action(async (id: string, path: string, _options: unknown, command: Command) => {
      const options = readOptions(editOptions, command);
      const server = requireServer(cli, options);
      const spec = await readSpec(cli, path, options);
      await edit({ cli, id, spec, server, options });
    });
};

interface EditJob {
  readonly cli: Cli;
  readonly id: string;
  readonly spec: SpecFile;
  readonly server: Server;
  readonly options: EditOptions;
}

async function edit(job: EditJob): Promise<void> {
  const { cli, spec, options } = job;
  const { terminal } = cli;
  const answer = await send(job).catch((error: unknown) => {
    throw toInvalidSpec(error, spec);
  });
  for (const issue of answer.warnings) {
    const warning = describeProblem(fromWire(issue, spec), spec);
    terminal.say(`${terminal.style.yellow('warning')} ${warning}`);
  }
  if (options.json) terminal.printJson(answer);
  for (const line of renderEdit(answer, options.dryRun)) terminal.say(line);
}

async function send(job: EditJob): Promise<WireEdited> {
  const { id, spec, server, options } = job;
  const { client } = server;
  const source = await sourceOf(spec, server.url);
  if (options.dryRun) {
    return options.list
      ? await list(job, source)
      : await client.previewEdit(id, spec.document, source);
  }
  const revision = options.revision ?? (await client.readRevision(id));
  return await client.editRun(id, spec.document, { revision, ...source });
}

/** All pages; each is printed when it is there, for there may be a million tasks. */
async function list(
  { cli, id, spec, server, options }: EditJob,
  source: { readonly source?: string },
): Promise<WireEdited> {
  const { fate, json } = options;
  const tasks: WireEdited['tasks'] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { ...source, list: true, limit: 1_000, fate, cursor };
    const page = await previewPage(server.client, id, spec, query);
    if (json) tasks.push(...page.tasks);
    else for (const task of page.tasks) cli.terminal.print(renderFate(task));
    if (page.next === null) return { ...page, tasks };
    cursor = page.next;
  }
}

/** A file of lines is read anew for each page. */
function previewPage(
  client: Client,
  id: string,
  { document, readLines }: SpecFile,
  query: Parameters<Client['previewEdit']>[2],
): Promise<WireEdited> {
  const body = readLines === undefined ? document : { lines: readLines() };
  return client.previewEdit(id, body, query);
}
