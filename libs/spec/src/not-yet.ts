import type { NotYet } from './fields.ts';

/** Fields of an entry that are planned. */
export const notYetFields: NotYet = {
  process: 'processes ("process") are',
  tasks: 'processes (an entry with "tasks" of its own) are',
  join: 'processes ("join") are',
};

/** Fields of a run that are planned. */
export const notYetRunFields: NotYet = {
  processes: 'processes ("processes") are',
};

/** Kinds that are planned. */
export const notYetKinds: readonly string[] = [
  'switch',
  'timer',
  'poll',
  'send',
  'receive',
  'approval',
  'run',
  'process',
];
