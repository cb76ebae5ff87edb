import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseDocument, validateSpec } from '@runnel/spec';
import { describe, expect, test } from 'vitest';
import { parseSigningKey, signMessage } from './sign.ts';

const page = readFileSync(new URL('../../../../docs/webhooks.md', import.meta.url), 'utf8');
const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const body = '{"text":"for you: ✓"}';
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** The code behind a mark of the page. */
function codeAt(mark: string): string {
  const [, code] =
    new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
  if (code === undefined) throw new Error(`docs/webhooks.md has no code at ${mark}`);
  return code;
}

function signed(timestamp: number): Record<string, string> {
  const id = 'run-0-1';
  const signature = signMessage(parseSigningKey('K', secret), { id, timestamp, body });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signature,
  };
}

type Verify = (headers: Readonly<Record<string, string>>, text: string) => Promise<boolean>;

const inNode: Verify = async (headers, text) => {
  const source = Buffer.from(codeAt('verify-node')).toString('base64');
  const module: unknown = await import(`data:text/javascript;base64,${source}`);
  const { isGenuine } = module as { isGenuine(...args: readonly unknown[]): boolean };
  return isGenuine(headers, Buffer.from(text), secret);
};

const inPython: Verify = async (headers, text) => {
  const ask = [
    'import json, sys',
    'headers, text, secret = json.load(sys.stdin)',
    'print(is_genuine(headers, text.encode(), secret))',
  ].join('\n');
  const { stdout, stderr } = spawnSync('python3', ['-c', `${codeAt('verify-python')}\n${ask}`], {
    input: JSON.stringify([headers, text, secret]),
    encoding: 'utf8',
  });
  if (stderr !== '') throw new Error(stderr);
  return stdout.trim() === 'True';
};

describe.each([
  ['Node', inNode, true],
  ['Python', inPython, hasPython],
] as const)('the check of a signature in %s that the page shows', (_, verify, isHere) => {
  const now = Math.floor(Date.now() / 1_000);

  test.skipIf(!isHere)('takes what we sign', async () => {
    expect(await verify(signed(now), body)).toBe(true);
  });

  test.skipIf(!isHere)('takes one of several signatures', async () => {
    const headers = signed(now);
    const several = `v1,AAAA v2,x ${headers['webhook-signature']}`;

    expect(await verify({ ...headers, 'webhook-signature': several }, body)).toBe(true);
  });

  test.skipIf(!isHere).each([
    ['another body', signed(now), `${body} `],
    ['another id', { ...signed(now), 'webhook-id': 'run-0-2' }, body],
    ['an old message', signed(now - 400), body],
    ['a time that is none', { ...signed(now), 'webhook-timestamp': 'now' }, body],
    ['no signature', { ...signed(now), 'webhook-signature': '' }, body],
  ])('refuses %s', async (_what, headers, text) => {
    expect(await verify(headers, text)).toBe(false);
  });
});

test('the spec of the page is one', () => {
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const executors = { names: () => ['noop'], check: () => [] };
  const limits = { maxTasks: 10, maxProduct: 10 };

  const { issues, plan } = validateSpec(parseDocument(text, 'yaml').value, {
    ...{ limits, executors, pools: ['default'] },
  });

  expect(issues).toEqual([]);
  expect(plan?.webhooks).toHaveLength(1);
});
