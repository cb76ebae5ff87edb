import { changeCommand } from '../change-command.ts';

const help = `
Without --task, --class, --state and --from the run; classes and tasks that were paused by themselves stay so.

Examples:
  runnel resume RUN                             the run
  runnel resume RUN --class clean               a class`;

export const addResume = changeCommand({
  name: 'resume',
  description: 'let a paused run, or paused tasks of it, go on',
  help,
  change: (client, id, options) => client.resumeRun(id, options),
  tellRun: (id, isNew) => (isNew ? `${id} goes on` : `${id} was not paused`),
  words: { done: 'going on', running: 'run' },
});
