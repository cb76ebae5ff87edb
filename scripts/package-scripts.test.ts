import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));

// The shell remembers where it found `node` for set-up: the machine's own, which may be too old.
test.each(Object.entries(scripts).filter(([, line]) => line.includes('setup.mjs && ')))(
  '%s does not run the Node of before set-up after it',
  (_, line) => {
    expect(line.split('&&').slice(1).join('&&')).not.toMatch(/(^|\s)node\s/);
  },
);
