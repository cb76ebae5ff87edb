import type { WireFailedWebhook } from '@runnel/client';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { formatAge } from '../format-time.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

const webhooksOptions = globalOptions.extend({
  retry: z.string().optional(),
  limit: z.number().default(50),
});

const help = `
Listed are events that a receiver did not get although they were sent again for about a day.

Examples:
  runnel webhooks                              what was given up, newest first
  runnel webhooks --retry 12-1767225600000-0   send it again`;

export const addWebhooks: AddCommand = (program, cli) => {
  program
    .command('webhooks')
    .description('list what webhooks have given up, or send it again')
    .option('--retry <id>', 'send this again')
    .option('--limit <n>', 'at most so many, up to 200; default 50', parseWhole('--limit', 1, 200))
    .addHelpText('after', help)
    .action(async (_options: unknown, command: Command) => {
      const options = readOptions(webhooksOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, options);
      if (options.retry !== undefined) {
        const failed = await client.retryWebhook(options.retry);
        if (options.json) return terminal.printJson(failed);
        return terminal.say(
          `${failed.id}: events ${describeEvents(failed)} of ${failed.run} are sent again`,
        );
      }
      const page = await client.listFailedWebhooks({ limit: options.limit });
      if (options.json) return terminal.printJson(page);
      if (page.failed.length === 0) return terminal.say('no webhook has given anything up');
      for (const line of formatTable(head, page.failed.map(toRow))) terminal.print(line);
      if (page.next !== null)
        terminal.say('… there are more: a larger --limit, up to 200, lists them');
    });
};

const head = ['ID', 'RUN', 'GIVEN UP', 'TRIES', 'EVENTS', 'URL', 'ERROR'];

function toRow(failed: WireFailedWebhook): readonly string[] {
  const { id, run, givenUpAt, tries, url, error } = failed;
  const age = formatAge(Date.now() - Date.parse(givenUpAt));
  return [id, run, age, String(tries), describeEvents(failed), url, error];
}

function describeEvents({ after, until }: WireFailedWebhook): string {
  return until === null ? `${after + 1} and later` : `${after + 1} to ${until}`;
}
