import { type ExecutorHarness, openExecutor } from '@runnel/testing/executor-harness';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { locals } from './starters-for-tests.ts';

const value = 'hunter2-of-the-db';
const secrets = { DB: value, LINES: 'first-line "a"\nsecond-line\n' };

describe.each(locals)('local, started by $starter', ({ local }) => {
  let harness: ExecutorHarness;

  beforeEach(async () => {
    vi.stubEnv('RUNNEL_SECRETS', '/run/secrets');
    vi.stubEnv('RUNNEL_SECRET_DB', value);
    harness = await openExecutor(local);
  });

  afterEach(async () => {
    await harness[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  function shell(script: string, more: Record<string, string | { secret: string }> = {}) {
    const environment = { DB: { secret: 'DB' } };
    return { details: { command: ['bash', '-c', script], environment, ...more }, secrets };
  }

  test('a command gets secrets in variables and by stdin, as they are', async () => {
    const script = 'printf %s "$DB" | wc -c; tee copy | wc -c; grep -c "^second-line$" copy';

    const { log, result } = await harness.run(shell(script, { stdin: { secret: 'LINES' } }));

    expect(log.text()).toBe('17\n27\n1\n');
    expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
  });

  test('what it writes is without them, also where one comes in halves', async () => {
    const halves = 'printf %s "$DB" | head -c 7; sleep 0.2; printf %s "$DB" | tail -c +8';

    const { log } = await harness.run(shell(`${halves}; echo; echo "$DB $DB" >&2`));

    expect(log.text()).toBe('***\n*** ***\n');
  });

  test('its output is without them, and the log says so', async () => {
    const script = 'printf \'{"url":"redis://:%s@host","n":1}\' "$DB" > "$RUNNEL_OUTPUT"';

    const { log, result } = await harness.run(shell(script));

    expect(result).toMatchObject({ output: { url: 'redis://:***@host', n: 1 } });
    expect(log.text()).toContain('the output held a secret');
  });

  test('no half of one is in the message about a wrong output', async () => {
    const { result } = await harness.run(shell('printf "%s" "$DB" > "$RUNNEL_OUTPUT"'));

    expect(result).toMatchObject({ reason: 'output-invalid' });
    expect(JSON.stringify(result)).not.toMatch(/hunter|unter2|the-db/);
  });

  test('the variables in which a worker has them are not handed on', async () => {
    const { log } = await harness.run({ details: { command: ['env'] } });

    expect(log.text()).toContain('RUNNEL_OUTPUT=');
    expect(log.text()).not.toMatch(/RUNNEL_SECRET|hunter2/);
  });
});
