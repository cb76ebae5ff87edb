import type { WireTagCount } from '@runnel/client';
import type { Command } from 'commander';
import { oneLine } from '../clean.ts';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

/** As many values as the API lists. */
const mostValues = 1_000;

export const addTags: AddCommand = (program, cli) => {
  program
    .command('tags')
    .argument('[key]', 'the key of a tag: its values are listed')
    .argument('[prefix]', 'only values that begin so')
    .description('list the tags that runs have')
    .action(
      async (
        key: string | undefined,
        prefix: string | undefined,
        _options: unknown,
        command: Command,
      ) => {
        const options = readOptions(globalOptions, command);
        const { client } = requireServer(cli, options);
        const tags = await client.listTags(
          key === undefined ? {} : { key, limit: mostValues, ...(prefix && { prefix }) },
        );
        if (options.json) return cli.terminal.printJson(tags);
        if (tags.length === 0) return cli.terminal.say('no tags');
        for (const line of renderTags(tags, key)) cli.terminal.print(line);
        if (key === undefined || tags.length < mostValues) return;
        cli.terminal.say(`… there may be more: runnel tags ${key} PREFIX lists a part of them`);
      },
    );
};

function renderTags(tags: readonly WireTagCount[], key: string | undefined): readonly string[] {
  const head = [key === undefined ? 'TAG' : oneLine(key).toUpperCase(), 'RUNS'];
  return formatTable(
    head,
    tags.map(({ value, runs }) => [oneLine(value), String(runs)]),
  );
}
