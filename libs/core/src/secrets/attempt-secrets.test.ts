import { expect, test } from 'vitest';
import { AttemptSecrets } from './attempt-secrets.ts';
import { SecretError } from './secret-source.ts';

const values: Readonly<Record<string, string>> = {
  DB: 'hunter2-db',
  API: 'key-1234567',
  DIGITS: '778899001',
  PIN: '1234',
};

function attempt() {
  const chunks: (string | Uint8Array)[] = [];
  const source = {
    read: async (name: string) => values[name] ?? Promise.reject(new SecretError(`no ${name}`)),
  };
  const log = {
    write: (chunk: string | Uint8Array) => chunks.push(chunk) < 3,
    drained: async () => undefined,
  };
  const secrets = new AttemptSecrets(source, log);
  return {
    secrets,
    chunks,
    text: () => Buffer.concat(chunks.map((one) => Buffer.from(one))).toString(),
  };
}

test('passes on everything untouched until a secret is asked for', async () => {
  const { secrets, chunks } = attempt();
  const chunk = Buffer.from('hunter2-db');

  secrets.write(chunk);
  await secrets.read('DB');
  secrets.write('and hunter2-db');

  expect(chunks[0]).toBe(chunk);
  expect(chunks.slice(1).map(String)).toEqual(['and ***']);
});

test('looks for every value that was asked for, in what is written through each pipe', async () => {
  const { secrets, text } = attempt();
  await secrets.read('DB');
  secrets.write('out: hunter', 0);
  await secrets.read('API');

  secrets.write('err: key-', 1);
  secrets.write('2-db\n', 0);
  secrets.write('1234567\n', 1);
  secrets.endLog();

  expect(text()).toBe('out: err: ***\n***\n');
});

test('hands on that the log asks to wait', async () => {
  const { secrets } = attempt();
  await secrets.read('DB');

  const answers = ['.', '.', '.'].map((text) => secrets.write(text));

  expect(answers).toEqual([true, true, false]);
});

test('writes what it held back when the attempt is over', async () => {
  const { secrets, text } = attempt();
  await secrets.read('DB');
  secrets.write('the end: hunter2');

  const before = text();
  secrets.endLog();

  expect(before).toBe('the end: ');
  expect(text()).toBe('the end: hunter2');
});

test('takes secrets out of messages', async () => {
  const { secrets } = attempt();
  await secrets.read('DB');

  const message = 'login with hunter2-db failed';
  const result = secrets.redact({ outcome: 'failed', reason: 'error', message, exitCode: 3 });

  expect(result).toEqual({
    outcome: 'failed',
    reason: 'error',
    message: 'login with *** failed',
    exitCode: 3,
  });
});

test('takes secrets out of names, texts and numbers of the output, and says so', async () => {
  const { secrets, text } = attempt();
  for (const name of ['DB', 'API', 'DIGITS']) await secrets.read(name);

  const output = { ok: 1, deep: [{ 'hunter2-db': 'a key-1234567 b' }, null, 778_899_001] };
  const result = secrets.redact({ outcome: 'succeeded', output, exitCode: 0 });

  expect(result).toEqual({
    outcome: 'succeeded',
    output: { ok: 1, deep: [{ '***': 'a *** b' }, null, '***'] },
    exitCode: 0,
  });
  expect(text()).toBe('runnel: the output held a secret; *** stands in its place\n');
});

test('says nothing of an output without secrets', async () => {
  const { secrets, chunks } = attempt();
  await secrets.read('PIN');
  await secrets.read('DB');
  const result = { outcome: 'succeeded', output: { pin: '1234', count: 3 } } as const;

  expect(secrets.redact(result)).toBe(result);
  expect(chunks).toEqual([]);
});

test('rejects where there is no such secret, and looks for nothing', async () => {
  const { secrets, chunks } = attempt();

  await expect(secrets.read('OTHER')).rejects.toThrow(SecretError);

  secrets.write('text');
  expect(chunks).toEqual(['text']);
});
