import { execaSync } from 'execa';
import { createLocal } from './index.ts';

/** False on a machine without Python 3: there only the other starter can be tested. */
export const hasPython = !execaSync('python3', ['-c', ''], { reject: false }).failed;

function refuse(message: string): void {
  throw new Error(`the helpers were to be tested, but: ${message}`);
}

/** The local executor on every starter that works here. */
export const locals = [
  ...(hasPython ? [{ starter: 'helpers', local: createLocal({ warn: refuse }) }] : []),
  { starter: 'execa', local: createLocal({ starter: 'execa' }) },
];
