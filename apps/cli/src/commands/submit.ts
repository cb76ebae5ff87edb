import { plural } from '@runnel/core';
import type { Command } from 'commander';
import { checkSpec } from '../check-spec.ts';
import { type AddCommand, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';
import { addSpecOptions, readSpec, specOptions } from '../spec-options.ts';
import { submitSpec } from '../submit-spec.ts';

export const addSubmit: AddCommand = (program, cli) => {
  addSpecOptions(program.command('submit'))
    .description('hand a spec to a server and print the id of the run')
    .addHelpText('after', '\nExample:\n  id=$(runnel submit run.yaml) && runnel watch "$id"')
    .action(async (path: string, _options: unknown, command: Command) => {
      const options = readOptions(specOptions, command);
      const { json, dryRun } = options;
      const server = requireServer(cli, options);
      const spec = await readSpec(cli, path, options);
      if (dryRun) return checkSpec(cli, spec, { server, json });
      const submitted = await submitSpec(cli, spec, server);
      cli.terminal.print(json ? JSON.stringify(submitted, null, 2) : submitted.id);
      cli.terminal.say(`a run of ${plural(submitted.tasks, 'task')}: runnel watch ${submitted.id}`);
    });
};
