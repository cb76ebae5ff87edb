import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { formatAge } from '../format-time.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

export const addWorkers: AddCommand = (program, cli) => {
  program
    .command('workers')
    .description('list the workers that are alive')
    .action(async (_options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal } = cli;
      const workers = await requireServer(cli, options).client.listWorkers();
      if (options.json) return terminal.printJson(workers);
      if (workers.length === 0) return terminal.say('no workers');
      const rows = workers.map((worker) => [
        worker.name,
        `${worker.host}:${worker.pid}`,
        worker.isStopping ? 'stopping' : 'running',
        String(worker.running),
        Object.entries(worker.slots)
          .map(([queue, slots]) => `${queue}:${slots}`)
          .join(' '),
        formatAge(Date.now() - Date.parse(worker.startedAt)),
        worker.executors.join(' '),
      ]);
      const head = ['WORKER', 'HOST:PID', 'STATE', 'BUSY', 'SLOTS', 'STARTED', 'EXECUTORS'];
      for (const line of formatTable(head, rows)) terminal.print(line);
    });
};
