import type { WireDoctor } from '@runnel/client';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { renderFindings } from '../render-findings.ts';
import { requireServer } from '../server.ts';

const doctorOptions = globalOptions.extend({ repair: z.boolean().default(false) });

export const addDoctor: AddCommand = (program, cli) => {
  program
    .command('doctor')
    .argument('[run]', 'the id of a run; default: every run that has not ended, and the service')
    .description('check what must hold; exits with 1 where something is wrong')
    .option('--repair', 'mend what is wrong, while runs go on')
    .action(async (run: string | undefined, _options: unknown, command: Command) => {
      const options = readOptions(doctorOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, options);
      const report = await client.askDoctor({
        repairs: options.repair,
        ...(run === undefined ? {} : { run }),
      });
      if (options.json) terminal.printJson(report);
      else for (const line of renderFindings(report, terminal.dataStyle)) terminal.print(line);
      for (const what of report.unchecked) terminal.say(`not checked: ${what}`);
      if (report.omitted > 0) terminal.say(`… and ${report.omitted} more of the same kinds`);
      terminal.say(summaryOf(report));
      if (isIll(report)) cli.finish(exitCodes.failed);
    });
};

/** After a repair what is left counts. */
function isIll({ findings, left }: WireDoctor): boolean {
  return (left ?? findings.length) > 0;
}

function summaryOf(report: WireDoctor): string {
  const { findings, runs, mended, left, omitted } = report;
  const looked = `${runs} ${runs === 1 ? 'run' : 'runs'} checked`;
  if (findings.length === 0) return `${looked}: nothing is wrong`;
  const count = findings.length + omitted;
  if (mended === null) return `${looked}: ${count} found; --repair mends what can be mended`;
  return `${looked}: ${count} found, ${mended} repairs made, ${left} left`;
}
