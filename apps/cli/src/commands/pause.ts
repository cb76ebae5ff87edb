import { changeCommand } from '../change-command.ts';

const help = `
Without --task, --class, --state and --from the whole run. A class is paused with those of its tasks that become
ready later.

Examples:
  runnel pause RUN                              the run
  runnel pause RUN --class clean                a class; the others go on`;

export const addPause = changeCommand({
  name: 'pause',
  description: 'pause a run, or some of its tasks: what runs goes on, nothing more of them starts',
  help,
  change: (client, id, options) => client.pauseRun(id, options),
  tellRun: (id, isNew) => (isNew ? `${id} is paused` : `${id} was paused before`),
  words: { done: 'paused', running: 'run to their end' },
});
