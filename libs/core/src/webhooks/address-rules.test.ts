import { describe, expect, test } from 'vitest';
import { addressRules, hostOf, parseAllowedPlaces } from './address-rules.ts';

const none = addressRules(parseAllowedPlaces([]));

describe('without exceptions', () => {
  test.each([
    ['http://127.0.0.1/', 'a loopback address'],
    ['http://2130706433/', 'a loopback address'],
    ['http://0177.0.0.1/', 'a loopback address'],
    ['http://0x7f.1/', 'a loopback address'],
    ['http://127.1/', 'a loopback address'],
    ['http://127.0.0.1./', 'a loopback address'],
    ['http://%31%32%37.0.0.1/', 'a loopback address'],
    ['http://１２７.0.0.1/', 'a loopback address'],
    ['http://0/', 'not a public address'],
    ['http://169.254.169.254/latest/meta-data', 'where clouds keep their metadata'],
    ['http://10.1.2.3:8080/', 'a private address'],
    ['http://172.31.255.255/', 'a private address'],
    ['http://192.168.0.1/', 'a private address'],
    ['http://100.100.100.200/', 'a private address'],
    ['http://224.0.0.1/', 'not a public address'],
    ['http://255.255.255.255/', 'not a public address'],
    ['http://[::1]/', 'a loopback address'],
    ['http://[::]/', 'not a public address'],
    ['http://[::ffff:127.0.0.1]/', 'a loopback address'],
    ['http://[::ffff:a9fe:a9fe]/', 'where clouds keep their metadata'],
    ['http://[64:ff9b::10.0.0.1]/', 'a private address'],
    ['http://[::127.0.0.1]/', 'not a public address'],
    ['http://[fd00:ec2::254]/', 'a private address'],
    ['http://[fe80::1]/', 'a link-local address'],
    ['http://[2002:7f00:1::]/', 'not a public address'],
    ['http://[2001:0:53aa:64c:0:0:80ff:fffe]/', 'not a public address'],
    ['http://localhost:2503/', 'a loopback address'],
    ['http://api.localhost/', 'a loopback address'],
    ['http://LOCALHOST./', 'a loopback address'],
  ])('%s is refused: %s', (url, kind) => {
    expect(none.refuseUrl(url)).toContain(`is ${kind}`.replace('is where', 'where'));
  });

  test.each([
    'https://example.org/hook',
    'http://93.184.216.34/',
    'http://172.32.0.1/',
    'http://[2606:2800:220:1:248:1893:25c8:1946]/',
    'http://[::ffff:93.184.216.34]/',
  ])('%s is not refused', (url) => {
    expect(none.refuseUrl(url)).toBeNull();
  });

  test.each([
    ['::ffff:127.0.0.1', 'a loopback address'],
    ['fe80::1%eth0', 'a link-local address'],
    ['10.0.0.1', 'a private address'],
  ])('a name that leads to %s is refused, and told where it leads', (address, kind) => {
    const refusal = none.refuseAddress('hooks.example.org', address);

    expect(refusal).toBe(
      `hooks.example.org leads to ${address}, which is ${kind}: webhooks go there only if the setting RUNNEL_WEBHOOK_ALLOW names the host or its network`,
    );
  });

  test('what is no address is refused', () => {
    expect(none.refuseAddress('hooks.example.org', '127.1')).toContain('is no address');
  });
});

describe('with exceptions', () => {
  const rules = addressRules(
    parseAllowedPlaces(['10.0.0.0/8', '127.0.0.1', 'fd00::/8', 'intern', '*.svc.example.org']),
  );

  test.each([
    ['10.9.9.9', '10.9.9.9'],
    ['a.example.org', '10.9.9.9'],
    ['a.example.org', '::ffff:10.9.9.9'],
    ['127.0.0.1', '127.0.0.1'],
    ['b.example.org', 'fd12::1'],
    ['Intern', '192.168.1.1'],
    ['x.y.svc.example.org', '192.168.1.1'],
  ])('%s at %s is allowed', (host, address) => {
    expect(rules.refuseAddress(host, address)).toBeNull();
  });

  test.each([
    ['127.0.0.2', '127.0.0.2'],
    ['a.example.org', '192.168.1.1'],
    ['xintern', '192.168.1.1'],
    ['svc.example.org', '192.168.1.1'],
    ['a.example.org', '169.254.169.254'],
  ])('%s at %s is still refused', (host, address) => {
    expect(rules.refuseAddress(host, address)).not.toBeNull();
  });

  test('localhost is as good as the address that it means', () => {
    expect(rules.refuseUrl('http://localhost:1/')).toBeNull();
  });
});

test.each(['10.0.0.0/33', '10.0.0', 'a b', 'http://x', '1.2.3.4/8/8', '::g'])(
  'the exception %s is refused',
  (entry) => {
    expect(() => parseAllowedPlaces([entry])).toThrow(`"${entry}" is no network`);
  },
);

test('the host of a URL has no brackets', () => {
  expect(hostOf('http://[::1]:80/')).toBe('::1');
});
