/** An address as a number, so that tricky ways to write it are all one. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** All addresses that begin alike. */
export interface IpNetwork extends IpAddress {
  readonly prefix: number;
}

/** Null where the text is no address in its usual form; a zone (`%eth0`) is passed over. */
export function parseIp(text: string): IpAddress | null {
  const [bare = ''] = text.split('%', 1);
  return parseIpv4(bare) ?? parseIpv6(bare);
}

/** `10.0.0.0/8`, or one address; null where it is neither. */
export function parseNetwork(text: string): IpNetwork | null {
  const [base = '', prefix, ...rest] = text.split('/');
  const address = parseIp(base);
  if (address === null || rest.length > 0) return null;
  if (prefix === undefined) return { ...address, prefix: address.bits };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > address.bits) return null;
  return { ...address, prefix: Number(prefix) };
}

export function isInNetwork(address: IpAddress, network: IpNetwork): boolean {
  if (address.bits !== network.bits) return false;
  const shift = BigInt(network.bits - network.prefix);
  return address.value >> shift === network.value >> shift;
}

const ipv4Mapped = 0xffffn;
const nat64 = 0x64ff9bn << 64n;
const low32 = 0xffff_ffffn;

/** The IPv4 address that an IPv6 one stands for: `::ffff:127.0.0.1`, or behind NAT64; null: none. */
export function embeddedIpv4({ bits, value }: IpAddress): IpAddress | null {
  if (bits === 32) return null;
  const head = value >> 32n;
  if (head !== ipv4Mapped && head !== nat64) return null;
  return { bits: 32, value: value & low32 };
}

function parseIpv4(text: string): IpAddress | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const parts = match.slice(1).map(Number);
  if (parts.some((part) => part > 255)) return null;
  return { bits: 32, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

function parseIpv6(text: string): IpAddress | null {
  const halves = withoutDots(text)?.split('::') ?? [];
  if (halves.length === 0 || halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const parts = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!parts.every((part) => /^[\da-f]{1,4}$/i.test(part))) return null;
  return { bits: 128, value: parts.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n) };
}

/** `::ffff:127.0.0.1` as `::ffff:7f00:1`; null where what has dots is no address. */
function withoutDots(text: string): string | null {
  if (!text.includes('.')) return text;
  const at = text.lastIndexOf(':');
  const ipv4 = parseIpv4(text.slice(at + 1));
  if (ipv4 === null || at < 0) return null;
  const words = [ipv4.value >> 16n, ipv4.value & 0xffffn].map((word) => word.toString(16));
  return `${text.slice(0, at + 1)}${words.join(':')}`;
}
