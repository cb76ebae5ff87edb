import { editMutants } from './edit-mutants.ts';
import { growthMutants } from './growth-mutants.ts';
import { partMutants } from './part-mutants.ts';
import type { Scene } from './scene.ts';
import type { Order } from './schedule.ts';
import type { Detour, Edit } from './variant.ts';

/** A mistake that the exploration must find. */
export interface Mutant {
  readonly name: string;
  readonly edits?: readonly Edit[];
  readonly detour?: Detour;
  /** Scenes in which it shows sooner. */
  readonly scene?: Partial<Scene>;
  readonly order?: Partial<Order>;
  /** Whether tasks generate tasks; not said: none does. */
  readonly grows?: boolean;
}

const turn = ['take-turn'] as const;

/** Each is one promise of the protocol, broken. */
export const mutants: readonly Mutant[] = [
  ...partMutants,
  ...editMutants,
  ...growthMutants,
  {
    name: 'outcomes of a lost claim count',
    edits: [
      {
        scripts: turn,
        find: 'return d and d.token == token and d or nil',
        replace: 'return d or nil',
      },
    ],
  },
  {
    name: 'an outcome counts as often as it comes',
    scene: { maxBatch: 4, reportsOnly: true },
    edits: [{ scripts: turn, find: 'is_open(bits, place) and byte', replace: 'byte' }],
  },
  {
    name: 'an accepted outcome leaves its bit open',
    edits: [
      {
        scripts: turn,
        find: 'bits[floor(place / 8) + 1] = bits[floor(place / 8) + 1] - lshift(1, place % 8)',
        replace: '',
      },
    ],
  },
  {
    name: 'a late start of a job may claim',
    edits: [
      {
        scripts: ['claim-delivery'],
        find: "if started <= d.attempts_started then return 'late' end",
        replace: '',
      },
    ],
  },
  {
    name: 'a reserved delivery is taken over under its old token',
    edits: [
      {
        scripts: ['claim-delivery'],
        find: 'd.token = token',
        replace: 'if not reserved then d.token = token end',
      },
    ],
  },
  {
    name: 'entries are acknowledged before they are settled',
    detour: async (redis, [, args], send) => {
      const reply = await send();
      const list = args.flat();
      if (list[0] === 'XREADGROUP')
        await redis.xtrim(String(list[list.indexOf('STREAMS') + 1]), 'MAXLEN', 0);
      return reply;
    },
  },
  {
    name: 'the cursor of a backlog is not stored',
    edits: [
      {
        scripts: turn,
        find: 'local rest = pack_u32(index) .. pack_u32(skip) .. sub(entry, 9)',
        replace: 'local rest = entry',
      },
    ],
  },
  {
    name: 'what the budget did not reach is not stored',
    edits: [
      {
        scripts: turn,
        find: "if fresh[backlog.at] then call('RPUSH', K.backlog, unpack(fresh, backlog.at)) end",
        replace: '',
      },
    ],
  },
  {
    name: 'a delivery is lost while its outcomes wait to be settled',
    scene: {
      reportsOnly: true,
      changes: [],
      isCancelled: false,
      poison: null,
      slowSubmission: null,
    },
    order: { deaf: 80, skip: 40 },
    detour: async (_redis, [name], send) => {
      const reply = await send();
      return name === 'xrange' ? [] : reply;
    },
  },
  {
    name: 'a delivery is cut without its outbox entry',
    edits: [
      {
        scripts: turn,
        find: "call('ZADD', K.outbox, unpack(made.scores, i, j))",
        replace: '',
      },
    ],
  },
  {
    name: 'a retry keeps its attempt number',
    edits: [
      {
        scripts: turn,
        find: "call('HSET', K.tries, id, min(attempt + 1, MOST_ATTEMPTS))",
        replace: "call('HSET', K.tries, id, attempt)",
      },
    ],
  },
  {
    name: 'a task is released from its delay whatever its state',
    edits: [
      {
        scripts: ['release-delayed'],
        find: "if not halt and call('GETRANGE', K.state, id, id) == char(DELAYED) then",
        replace: 'if not halt then',
      },
    ],
  },
  {
    name: 'a child that any parent releases is released by each',
    edits: [
      {
        scripts: turn,
        find: 'if before < RELEASED and flags >= RELEASED then',
        replace: 'if flags >= RELEASED then',
      },
    ],
  },
  {
    name: 'a child does not wait for its last parent',
    edits: [{ scripts: turn, find: 'word % 16777216 == 0', replace: 'word % 16777216 <= 1' }],
  },
  {
    name: 'sealing again begins anew',
    edits: [
      {
        scripts: ['seal-run'],
        find: "local from, n, id = tonumber(h[3] or 0), tonumber(h[4]), h[5]\nif h[2] ~= 'submitting' then return { n, n } end",
        replace: 'local n, id = tonumber(h[4]), h[5]\nlocal from = tonumber(h[3] or 0) % n',
      },
    ],
  },
  {
    name: 'a cancel ends tasks that are running',
    edits: [
      {
        scripts: ['halt-run'],
        find: 'for k = 1, count do codes[k] = char(HALTING) end',
        replace: 'count = 0',
      },
    ],
  },
  {
    name: 'a task of a halted run is tried again',
    scene: { stopsOnFailure: true, isCancelled: false, window: 4, slots: 2 },
    edits: [
      {
        scripts: turn,
        find: 'if code == DELAYED and (halt or is_cancelled(id)) then code = FAILED end',
        replace: '',
      },
    ],
  },
  {
    name: 'a janitor removes what it found a while ago',
    edits: [
      {
        scripts: ['remove-run'],
        find: 'if not score or tonumber(score) > tonumber(ARGV[3]) then return 0 end',
        replace: '',
      },
    ],
  },
  {
    name: 'what is handed over does not take its place in the queue',
    edits: [
      {
        scripts: ['reissue-delivery'],
        find: "call('ZADD', K.outbox, ARGV[3], carrier)",
        replace: '',
      },
    ],
  },
  {
    name: 'deaths of workers are not counted',
    edits: [
      {
        scripts: ['claim-delivery'],
        find: "local deaths = call('HINCRBY', K.deaths, ids[i], 1)",
        replace: 'local deaths = 1',
      },
    ],
    scene: { poison: 0, isCancelled: false },
  },
  {
    name: 'the companions of a task that killed its worker die with it',
    edits: [{ scripts: ['claim-delivery'], find: 'if count > 1 then', replace: 'if false then' }],
    scene: { poison: 0, isCancelled: false, maxBatch: 4 },
  },
];
