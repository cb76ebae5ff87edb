import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const program = `
  import { registerHooks } from 'node:module';
  const urls = [];
  registerHooks({
    load(url, context, next) {
      urls.push(url);
      return next(url, context);
    },
  });
  await import(process.argv[1]);
  process.stdout.write(JSON.stringify(urls));
`;

test('brings little into the threads of functions, which import this package too', () => {
  const index = new URL('./index.ts', import.meta.url).href;

  const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', program, index]);

  const names = JSON.parse(String(loaded)).map((url: string) => url.split('/src/')[1] ?? url);
  expect(names.toSorted()).toEqual([
    'catalog.ts',
    'function/define-function.ts',
    'index.ts',
    'load-executors.ts',
  ]);
});
