import { describeSettings, loadSettings, settingFields, settingNames } from '@runnel/service';
import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';

export const addSettings: AddCommand = (program, cli) => {
  program
    .command('settings')
    .description('show the settings that processes started here would have, and where each is from')
    .action((_options: unknown, command: Command) => {
      const { json } = readOptions(globalOptions, command);
      const { terminal, env, cwd } = cli;
      const loaded = loadSettings({ env, cwd });
      for (const warning of loaded.warnings) terminal.say(`warning: ${warning}`);
      if (!json) return terminal.print(describeSettings(loaded));
      const rows = settingNames.map((name) => [
        settingFields[name].key,
        {
          value: settingFields[name].secret ? '***' : loaded.settings[name],
          from: loaded.origins[name].name,
        },
      ]);
      terminal.printJson(Object.fromEntries(rows));
    });
};
