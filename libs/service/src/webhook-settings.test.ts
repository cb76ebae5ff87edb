import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSettings } from './settings.ts';

let cwd = '';

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'runnel-webhooks-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const load = (env: Record<string, string>) => loadSettings({ env, cwd }).settings;
const hook = { url: 'https://example.org/hook', on: ['run-failed'], secret: { secret: 'KEY' } };

describe('RUNNEL_WEBHOOKS', () => {
  test('is empty where nobody says', () => {
    expect(load({}).webhooks).toEqual([]);
  });

  test('takes JSON', () => {
    expect(load({ RUNNEL_WEBHOOKS: JSON.stringify([hook]) }).webhooks).toEqual([hook]);
  });

  test('takes a file', () => {
    writeFileSync(join(cwd, 'hooks.yaml'), '- url: https://example.org/a\n');

    expect(load({ RUNNEL_WEBHOOKS: 'hooks.yaml' }).webhooks).toEqual([
      { url: 'https://example.org/a' },
    ]);
  });

  test('is a list in a settings file', () => {
    writeFileSync(join(cwd, 'own.yaml'), 'webhooks: [{ url: "https://example.org/b" }]\n');

    expect(load({ RUNNEL_CONFIG: 'own.yaml' }).webhooks).toEqual([
      { url: 'https://example.org/b' },
    ]);
  });

  test.each([
    ['[{"url":"x"}]', '[0].url: expected an address such as https://example.org/hook'],
    ['[{"url":"https://x.org","classes":["a"]}]', '[0].classes: only events of tasks'],
    ['[{"url":"https://x.org","onn":[]}]', 'Unrecognized key: "onn"'],
    ['[{]', "can't be read: the JSON"],
    ['none.yaml', "can't be read: "],
  ])('%s is refused with its place', (value, message) => {
    expect(() => load({ RUNNEL_WEBHOOKS: value })).toThrow(message);
  });
});

describe('RUNNEL_WEBHOOK_ALLOW', () => {
  test('takes networks and names', () => {
    expect(load({ RUNNEL_WEBHOOK_ALLOW: '10.0.0.0/8, hooks.intern' }).webhookAllow).toEqual([
      '10.0.0.0/8',
      'hooks.intern',
    ]);
  });

  test('names what it can not use', () => {
    expect(() => load({ RUNNEL_WEBHOOK_ALLOW: '10.0.0.0/40' })).toThrow(
      '"10.0.0.0/40" is no network such as 10.0.0.0/8, address, or host name',
    );
  });
});
