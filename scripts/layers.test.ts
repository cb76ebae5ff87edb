import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** Which of our own packages each may import; the linter holds code to its package.json. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  spec: ['core'],
  store: ['core'],
  queue: ['core'],
  archive: ['core'],
  executors: ['core'],
  client: ['core'],
  daggyr: ['core'],
  service: ['core'],
  planning: ['core', 'store'],
  engine: ['archive', 'core', 'daggyr', 'planning', 'queue', 'spec', 'store'],
  api: [
    ...['archive', 'client', 'core', 'daggyr', 'engine', 'executors', 'planning', 'queue'],
    ...['service', 'spec', 'store'],
  ],
  worker: ['core', 'engine', 'executors', 'queue', 'service', 'store'],
  listener: ['archive', 'core', 'engine', 'queue', 'service', 'store'],
  cli: ['client', 'core', 'daggyr', 'executors', 'planning', 'service', 'spec'],
};

const manifest = z.object({
  name: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

const manifests = ['libs', 'apps'].flatMap((folder) =>
  readdirSync(new URL(`../${folder}/`, import.meta.url)).map((name) => {
    const url = new URL(`../${folder}/${name}/package.json`, import.meta.url);
    return { short: name, ...manifest.parse(JSON.parse(readFileSync(url, 'utf8'))) };
  }),
);

test.each(manifests.filter(({ short }) => short !== 'testing'))(
  '$name depends only on the layers below it',
  ({ short, dependencies }) => {
    const own = Object.keys(dependencies).filter((name) => name.startsWith('@runnel/'));

    const known = (allowed[short] ?? []).map((name) => `@runnel/${name}`);
    expect(own.filter((name) => !known.includes(name))).toEqual([]);
  },
);

test.each(manifests)('$name pins what it depends on', ({ dependencies }) => {
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
