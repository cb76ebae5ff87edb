import type { Command } from 'commander';
import { oneLine } from '../clean.ts';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

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
        const tags = await client.listTags({
          ...(key === undefined ? {} : { key }),
          ...(prefix === undefined ? {} : { prefix }),
        });
        if (options.json) return cli.terminal.printJson(tags);
        const rows = tags.map(({ value, runs }) => [oneLine(value), String(runs)]);
        const head = [key === undefined ? 'TAG' : oneLine(key).toUpperCase(), 'RUNS'];
        if (rows.length === 0) return cli.terminal.say('no tags');
        for (const line of formatTable(head, rows)) cli.terminal.print(line);
      },
    );
};
