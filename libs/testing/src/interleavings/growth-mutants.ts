import type { Mutant } from './mutants.ts';
import type { Scene } from './scene.ts';
import type { Edit } from './variant.ts';

const grown: Partial<Scene> = { isCancelled: false, changes: [] };

/** A set joins whatever has become of the run since it was made. */
const ofAnyShape: readonly Edit[] = [
  { scripts: ['append-tasks'], find: "then return 'moved' end", replace: 'then end' },
  { scripts: ['write-generated'], find: "and 'moved' or nil", replace: 'and nil' },
];

/** What must hold of a run whose tasks generate tasks, broken. */
export const growthMutants: readonly Mutant[] = [
  {
    name: 'a set joins a run of another shape than it was made for',
    grows: true,
    scene: grown,
    edits: [...ofAnyShape],
  },
  {
    name: 'pages of two sets are written at once',
    grows: true,
    scene: { ...grown, isLargeSet: true, maxBatch: 4 },
    edits: [
      {
        scripts: ['append-tasks'],
        find: "if not may_append(ARGV[2]) then return 'busy' end",
        replace: '',
      },
      {
        scripts: ['write-generated'],
        find: "if h[5] or not may_append(args[2]) then return 'busy' end",
        replace: '',
      },
      ...ofAnyShape,
    ],
  },
  {
    name: 'a set that is sent again joins again',
    grows: true,
    scene: grown,
    edits: [
      {
        scripts: ['append-tasks'],
        find: "if known and cjson.decode(known).attempt == attempt then return 'done' end",
        replace: '',
      },
      ...ofAnyShape,
    ],
  },
  {
    name: 'an end barrier does not wait for the set',
    grows: true,
    scene: grown,
    edits: [{ scripts: ['append-tasks'], find: "'\\0\\0\\2')", replace: "'\\0\\0\\1')" }],
  },
  {
    name: 'the start of a set does not wait for its generator',
    grows: true,
    scene: grown,
    edits: [
      {
        scripts: ['append-tasks'],
        find: "call('HSET', K.moreChildren, generator, sub(ARGV[7], 5, 8))",
        replace: '',
      },
    ],
  },
  {
    name: 'ends of parents in the run are not counted where they were visited',
    grows: true,
    scene: grown,
    edits: [
      {
        scripts: ['append-tasks'],
        find: 'not waiting[parents[i]] then',
        replace: 'false then',
      },
    ],
  },
];
