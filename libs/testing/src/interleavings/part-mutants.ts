import type { Mutant } from './mutants.ts';
import type { Scene } from './scene.ts';

const turn = ['take-turn'] as const;
const still = { isCancelled: false, stopsOnFailure: false, poison: null } as const;
const paused: Partial<Scene> = { ...still, changes: ['pause-class', 'pause-class', 'pause'] };
const cancelled: Partial<Scene> = { ...still, changes: ['cancel-class', 'cancel-class'] };

/** What must hold of a run of which a user changes parts, broken. */
export const partMutants: readonly Mutant[] = [
  {
    name: 'a claim hands out what is paused',
    scene: paused,
    edits: [
      {
        scripts: ['claim-delivery'],
        find: 'if not record().pausedAt and not paused then return n, 0 end',
        replace: 'do return n, 0 end',
      },
    ],
  },
  {
    name: 'what is paused is cut',
    scene: { ...paused, reportsOnly: false },
    edits: [{ scripts: turn, find: 'first_free(q)\n', replace: 'first_entry(q)\n' }],
  },
  {
    name: 'what was put aside is not looked at again',
    scene: paused,
    edits: [
      {
        scripts: ['pause-parts'],
        find: "redis.call('HSET', KEYS[1], 'unpark', redis.call('LLEN', KEYS[3]))",
        replace: '',
      },
    ],
  },
  {
    name: 'a waiting task that is cancelled is decided by its parents',
    scene: cancelled,
    edits: [{ scripts: ['page-cancel'], find: 'char(flags + RELEASED)', replace: 'char(flags)' }],
  },
  {
    name: 'a run ends while tasks of it are being cancelled',
    scene: cancelled,
    edits: [
      {
        scripts: ['take-turn', 'page-cancel'],
        find: "or (r.cancel or 0) > 0 and 'changing'",
        replace: '',
      },
    ],
  },
  {
    name: 'a cancelled task that a claim drops is still counted as under way',
    scene: cancelled,
    edits: [{ scripts: ['claim-delivery'], find: "add_total('ending', -k)", replace: '' }],
  },
  {
    name: 'a list is gone through without its entries being changed',
    scene: cancelled,
    edits: [
      {
        scripts: ['page-cancel'],
        find: "call('LSET', key, at + i - 1, left > 0 and head .. pack_ids(rest, 1, left) or '')",
        replace: '',
      },
    ],
  },
  {
    name: 'a run ends while a retry is under way',
    scene: { ...still, changes: ['retry', 'retry'] },
    edits: [
      {
        scripts: ['take-turn', 'page-retry'],
        find: "(r.retry or 0) > 0 and 'retrying' or",
        replace: '',
      },
    ],
  },
];
