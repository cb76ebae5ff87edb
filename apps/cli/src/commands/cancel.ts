import { changeCommand } from '../change-command.ts';

const help = `
Without --task, --class, --state and --from the whole run. Where tasks are named, the others go on; what needs
a cancelled task is skipped.

Examples:
  runnel cancel RUN                             the run
  runnel cancel RUN --class clean --dry-run     say which tasks that would be
  runnel cancel RUN --from pull:CITY=seattle    this task and all that hangs on it`;

export const addCancel = changeCommand({
  name: 'cancel',
  description:
    'cancel a run, or some of its tasks: nothing more of them starts, and what runs is ended',
  help,
  change: (client, id, options) => client.cancelRun(id, options),
  tellRun: (id, isNew) => (isNew ? `${id} is being cancelled` : `${id} was cancelled before`),
  words: { done: 'cancelled', running: 'have to be ended by their workers' },
});
