import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AddCommand, type Cli, globalOptions, readOptions } from '../cli.ts';
import { diffSpecs, isSame } from '../diff-specs.ts';
import { UsageError } from '../exit-codes.ts';
import { renderDiff } from '../render-diff.ts';
import { requireServer, type Server } from '../server.ts';
import { readSpecFile } from '../spec-file.ts';

const help = `
A side is a run, one of its revisions (RUN@2), or a file.

Examples:
  runnel diff RUN@1 RUN           what edits have changed since the first revision
  runnel diff RUN run.yaml        what an edit with this file would change in the spec
  runnel edit RUN run.yaml --dry-run   what it would mean for the tasks`;

export const addDiff: AddCommand = (program, cli) => {
  program
    .command('diff')
    .argument('<before>', 'a run, RUN@REVISION, or a file')
    .argument('<after>', 'the same')
    .description('show what lies between the specs of two runs, revisions or files')
    .addHelpText('after', help)
    .action(async (before: string, after: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal } = cli;
      const server = (): Server => requireServer(cli, options);
      const diff = diffSpecs(
        await readSide(cli, before, server),
        await readSide(cli, after, server),
      );
      if (options.json) return terminal.printJson(diff);
      if (isSame(diff)) return terminal.say('the specs are the same');
      const lines = renderDiff(diff, { before, after }, terminal.dataStyle);
      for (const line of lines) terminal.print(line);
    });
};

async function readSide(cli: Cli, side: string, server: () => Server): Promise<unknown> {
  const asRun = /^([\w-]+)(?:@(\d+))?$/.exec(side);
  if (asRun === null || existsSync(resolve(cli.cwd, side))) return await readFileSide(cli, side);
  const [, id = '', revision] = asRun;
  const asked = revision === undefined ? {} : { revision: Number(revision) };
  return await server().client.getSpec(id, asked);
}

async function readFileSide(cli: Cli, path: string): Promise<unknown> {
  const source = { path, cwd: cli.cwd, stdin: cli.stdin };
  const { value, readLines } = await readSpecFile(source, { overrides: new Map(), tags: {} });
  if (readLines === undefined) return value;
  const lines: unknown[] = [];
  let number = 0;
  // Whole lines come, many at once.
  for await (const block of readLines()) {
    for (const line of block.split('\n')) {
      number++;
      if (line.trim() !== '') lines.push(parseLine(line, `${path}:${number}`));
    }
  }
  const [head = {}, ...tasks] = lines;
  return { ...Object(head), tasks };
}

function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${place}: not valid JSON: ${why}`);
  }
}
