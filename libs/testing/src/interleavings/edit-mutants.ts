import type { Mutant } from './mutants.ts';
import type { Scene } from './scene.ts';
import { scriptOf } from './variant.ts';

const turn = ['take-turn'] as const;
const still = { isCancelled: false, stopsOnFailure: false, poison: null } as const;
const edited: Partial<Scene> = { ...still, changes: ['edit'] };

/** What must hold of a run that is edited, broken. */
export const editMutants: readonly Mutant[] = [
  {
    name: 'a frozen run forgets the outcomes that it kept',
    scene: edited,
    edits: [
      {
        scripts: turn,
        find: 'if stashed > 0 then stashed = settle_stash(r.id) end',
        replace: "if stashed > 0 then call('DEL', K.stash) stashed = 0 end",
      },
    ],
  },
  {
    name: 'outcomes are settled while the run is frozen',
    scene: edited,
    edits: [{ scripts: turn, find: 'if r.editing then\n', replace: 'if false then\n' }],
  },
  {
    name: 'a claim hands out tasks of a frozen run',
    scene: edited,
    edits: [
      {
        scripts: ['claim-delivery'],
        find: "if r.editing then return 'editing' end",
        replace: '',
      },
    ],
  },
  {
    name: 'a swap that is sent again is done again',
    scene: edited,
    detour: async (_redis, [, args], send) => {
      if (scriptOf(args) === 'swap-revision') await send();
      return await send();
    },
    edits: [
      {
        scripts: ['swap-revision'],
        find: "if h[3] == ARGV[1] then return 'swapped' end",
        replace: '',
      },
    ],
  },
  {
    name: 'a run whose editor is gone stays frozen',
    scene: edited,
    edits: [
      {
        scripts: ['page-edit'],
        find: 'and tonumber(ARGV[1]) - tonumber(h[1]) < tonumber(ARGV[2]) then',
        replace: 'then',
      },
    ],
  },
  {
    name: 'the old ends that were still to be visited outlive a swap',
    scene: edited,
    edits: [
      {
        scripts: ['swap-revision'],
        find: "call('UNLINK', KEYS[8], KEYS[9], KEYS[14])",
        replace: "call('UNLINK', KEYS[9], KEYS[14])",
      },
    ],
  },
  {
    name: 'what a run wants of the slots is not counted anew after a swap',
    scene: edited,
    edits: [{ scripts: ['swap-revision'], find: 'count_demand(1)', replace: '' }],
  },
  {
    name: 'outputs of what runs again stay',
    scene: edited,
    edits: [{ scripts: ['page-edit'], find: 'delete_fields(K.outputs, all)', replace: '' }],
  },
  {
    name: 'what runs again has its old attempts counted against its retries',
    scene: edited,
    edits: [{ scripts: ['page-edit'], find: 'set_fields(K.bases, bases)', replace: '' }],
  },
  {
    name: 'a run goes on before all is set back',
    scene: edited,
    edits: [
      {
        scripts: ['page-edit'],
        find: "if not is_done then return 'paging' end",
        replace: '',
      },
    ],
  },
];
