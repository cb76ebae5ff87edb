import type { Client, WireRun } from '@runnel/client';
import { isFinalRunState, taskStates } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, type Cli, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { renderProgress } from '../progress.ts';
import { mostRows, readPages, tellMore } from '../read-pages.ts';
import { renderTags } from '../render-runs.ts';
import { renderTask, renderTasks } from '../render-tasks.ts';
import { requireServer } from '../server.ts';

const getOptions = globalOptions.extend({
  state: z.enum(taskStates).optional(),
  class: z.string().optional(),
  limit: z.number().optional(),
});
type GetOptions = z.infer<typeof getOptions>;

export const addGet: AddCommand = (program, cli) => {
  program
    .command('get')
    .argument('<run>', 'the id of a run')
    .argument('[task]', 'the id or number of a task')
    .description('show a run, its tasks, or one task')
    .addOption(new Option('--state <state>', 'list tasks in this state').choices(taskStates))
    .option('--class <class>', 'list tasks of this class')
    .option(
      '--limit <n>',
      `list at most so many, up to ${mostRows}; default 50`,
      parseWhole('--limit', 1, mostRows),
    )
    .addHelpText('after', '\nExample:\n  runnel get RUN --state failed')
    .action(async (id: string, task: string | undefined, _options: unknown, command: Command) => {
      const options = readOptions(getOptions, command);
      const { client } = requireServer(cli, options);
      const asksForTasks = [options.state, options.class, options.limit].some(
        (o) => o !== undefined,
      );
      if (task !== undefined) return showTask(cli, await client.getTask(id, task), options);
      if (asksForTasks) return showTasks(cli, id, { client, options });
      return showRun(cli, await client.getRun(id), options);
    });
};

function showTask(
  { terminal }: Cli,
  task: Awaited<ReturnType<Client['getTask']>>,
  { json }: GetOptions,
): void {
  if (json) terminal.printJson(task);
  else terminal.print(renderTask(task, terminal.dataStyle).join('\n'));
}

async function showTasks(
  { terminal }: Cli,
  id: string,
  { client, options }: { readonly client: Client; readonly options: GetOptions },
): Promise<void> {
  const { state, class: className, limit = 50, json } = options;
  const query = {
    ...(state === undefined ? {} : { state }),
    ...(className === undefined ? {} : { class: className }),
  };
  const { rows, hasMore } = await readPages({ limit, perPage: 1_000 }, async (page) => {
    const { tasks, next } = await client.getTasks(id, { ...query, ...page });
    return { rows: tasks, next };
  });
  if (json) return terminal.printJson(rows);
  for (const line of renderTasks(rows, terminal.dataStyle)) terminal.print(line);
  if (rows.length === 0) terminal.say('no tasks');
  if (hasMore) terminal.say(tellMore(limit));
}

function showRun(
  { terminal }: Cli,
  run: Awaited<ReturnType<Client['getRun']>>,
  { json }: GetOptions,
): void {
  if (json) {
    terminal.printJson(run);
    return;
  }
  const lines = renderProgress(run, {
    columns: terminal.columns,
    rows: Number.POSITIVE_INFINITY,
    isUnicode: terminal.isUnicode,
    style: terminal.dataStyle,
    nowMs: Date.now(),
    rate: null,
    remainingMs: null,
  });
  for (const line of lines) terminal.print(line);
  for (const line of renderPaused(run)) terminal.print(line);
  if (Object.keys(run.tags).length > 0) terminal.print(`tags ${renderTags(run.tags)}`);
  const hint = isFinalRunState(run.state) ? `get ${run.id} --limit 50` : `watch ${run.id}`;
  terminal.say(terminal.style.dim(`more: runnel ${hint}`));
}

/** Classes and tasks that are paused by themselves, and by whom. */
export function renderPaused({ pausedParts }: Pick<WireRun, 'pausedParts'>): readonly string[] {
  if (pausedParts === null) return [];
  const { classes, tasks, omitted } = pausedParts;
  const who = (by: string | null): string => (by === null ? '' : ` by ${by}`);
  return [
    ...classes.map((one) => `paused class ${one.class}${who(one.by)}`),
    ...tasks.map((one) => `paused task ${one.id}${who(one.by)}`),
    ...(omitted > 0 ? [`paused … and ${omitted} more`] : []),
  ];
}
