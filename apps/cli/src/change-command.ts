import type { ChangeAnswer, ChangeOptions, Client } from '@runnel/client';
import type { Command } from 'commander';
import { type AddCommand, readOptions } from './cli.ts';
import { requireServer } from './server.ts';
import {
  addTaskOptions,
  describeChange,
  namesTasks,
  taskOptions,
  toChange,
} from './task-options.ts';

/** A command that changes a run, or some of its tasks. */
export interface ChangeCommand {
  readonly name: string;
  readonly description: string;
  readonly help: string;
  change(client: Client, id: string, options: ChangeOptions): Promise<ChangeAnswer>;
  /** What became of a whole run; `isNew` is false where it was so before. */
  tellRun(id: string, isNew: boolean): string;
  /** What became of named tasks, and of those among them that run. */
  readonly words: { readonly done: string; readonly running: string };
}

export function changeCommand(parts: ChangeCommand): AddCommand {
  return (program, cli) => {
    addTaskOptions(program.command(parts.name))
      .argument('<run>', 'the id of a run')
      .description(parts.description)
      .addHelpText('after', parts.help)
      .action(async (id: string, _options: unknown, command: Command) => {
        const options = readOptions(taskOptions, command);
        const { terminal } = cli;
        const { client } = requireServer(cli, options);
        const answer = await parts.change(client, id, toChange(options));
        if (options.json) terminal.printJson(answer);
        if (!namesTasks(options) && !options.dryRun) {
          terminal.say(parts.tellRun(id, answer.isNew));
          return;
        }
        const words = { ...parts.words, isDryRun: options.dryRun };
        for (const line of describeChange(answer, words)) terminal.say(line);
      });
  };
}
