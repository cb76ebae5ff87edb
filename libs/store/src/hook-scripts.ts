import { toInteger, toText } from './replies.ts';
import { defineScript } from './script.ts';

/** They note what was done outside: that must go on when Redis is full. */
const allowOom = true;

export const moveHook = defineScript(
  'move-hook',
  { keys: ['meta', 'hookLanes', 'hooksFailed'], allowOom },
  toInteger,
);

export const restHooks = defineScript(
  'rest-hooks',
  { keys: ['meta', 'hooks'], allowOom },
  toInteger,
);

/** One word; see retry-hook.lua. */
export const retryHook = defineScript(
  'retry-hook',
  { keys: ['meta', 'hookLanes', 'hooks', 'hooksFailed'] },
  toText,
);
