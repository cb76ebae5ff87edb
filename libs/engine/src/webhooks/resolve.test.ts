import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { HookResolver } from './resolve.ts';

interface DnsServer extends AsyncDisposable {
  readonly at: string;
}

/** A DNS server of our own; `answer` makes an answer of a question, or none. */
async function startDns(answer: (question: Buffer) => Buffer | null): Promise<DnsServer> {
  const socket = createSocket('udp4', (question, { port, address }) => {
    const reply = answer(question);
    if (reply !== null) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    at: `127.0.0.1:${socket.address().port}`,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Header and question of an answer (RFC 1035), with its code and number of records. */
function answerTo(question: Buffer, code: number, records: readonly Buffer[]): Buffer {
  let end = 12;
  while ((question[end] ?? 0) > 0) end += (question[end] ?? 0) + 1;
  const head = Buffer.from(question.subarray(0, end + 5));
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...records]);
}

/** Of the question's name: type, class IN, 60 s, bytes. */
function record(type: number, bytes: readonly number[]): Buffer {
  return Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]);
}

const isAskedForIpv4 = (question: Buffer): boolean => question.includes(Buffer.from([0, 1, 0, 1]));

test('all addresses of a name are found, of both kinds', async () => {
  const ipv6 = [0x20, 0x01, 0x48, 0x60, ...Array.from({ length: 11 }, () => 0), 7];
  await using dns = await startDns((question) =>
    answerTo(question, 0, [
      isAskedForIpv4(question) ? record(1, [93, 184, 216, 34]) : record(28, ipv6),
    ]),
  );

  const found = await new HookResolver({ servers: [dns.at] }).resolve('hooks.example.org');

  expect(found).toEqual(['93.184.216.34', '2001:4860::7']);
});

test('a name without IPv6 addresses is found', async () => {
  await using dns = await startDns((question) =>
    answerTo(question, 0, isAskedForIpv4(question) ? [record(1, [93, 184, 216, 34])] : []),
  );

  const found = await new HookResolver({ servers: [dns.at] }).resolve('hooks.example.org');

  expect(found).toEqual(['93.184.216.34']);
});

test('names that DNS never answers fail, and hold up no other lookup', async () => {
  await using dns = await startDns(() => null);
  const resolver = new HookResolver({ servers: [dns.at] });
  const order: string[] = [];
  const silent = Array.from({ length: 16 }, async (_, index) => {
    await expect(resolver.resolve(`n${index}.example.org`)).rejects.toThrow(
      `DNS did not answer for n${index}.example.org`,
    );
    order.push('silent');
  });

  const found = await resolver.resolve('localhost');
  order.push('localhost');
  await Promise.all(silent);

  expect(found).toContain('127.0.0.1');
  expect(order[0]).toBe('localhost');
});

test('more short names than may be looked up at once are looked up one after the other', async () => {
  const resolver = new HookResolver();

  const found = await Promise.all(Array.from({ length: 10 }, () => resolver.resolve('localhost')));

  expect(found.every((addresses) => addresses.includes('127.0.0.1'))).toBe(true);
});
