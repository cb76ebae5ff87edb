import {
  embeddedIpv4,
  type IpAddress,
  type IpNetwork,
  isInNetwork,
  parseIp,
  parseNetwork,
} from './ip-address.ts';

/** Where webhooks may go: whoever submits a run must not reach what only our machines can. */
export interface AddressRules {
  /** Why requests to this host, at this address, are refused; null: they are not. */
  refuseAddress(host: string, address: string): string | null;
  /** The same of an address that is written in a URL; null also where a name has to be looked up. */
  refuseUrl(url: string): string | null;
}

/** What `RUNNEL_WEBHOOK_ALLOW` may hold; throws RangeError for anything else. */
export interface AllowedPlaces {
  readonly networks: readonly IpNetwork[];
  /** In lower case; `.example.org` stands for all names below it. */
  readonly names: readonly string[];
}

const hostName = /^(\*\.)?([a-z\d_]([a-z\d_-]*[a-z\d_])?\.)*[a-z\d_]([a-z\d_-]*[a-z\d_])?$/i;

export function parseAllowedPlaces(entries: readonly string[]): AllowedPlaces {
  const networks: IpNetwork[] = [];
  const names: string[] = [];
  for (const entry of entries) {
    const network = parseNetwork(entry.replace(/^\[(.*)\]$/, '$1'));
    if (network !== null) networks.push(network);
    else if (hostName.test(entry) && !/^[\d.]+$/.test(entry)) {
      names.push(entry.toLowerCase().replace(/^\*/, ''));
    } else {
      throw new RangeError(
        `${JSON.stringify(entry)} is no network such as 10.0.0.0/8, address, or host name such as hooks.example.org or *.example.org`,
      );
    }
  }
  return { networks, names };
}

export function addressRules(allowed: AllowedPlaces): AddressRules {
  const refuseAddress = (host: string, address: string): string | null => {
    const ip = parseIp(address);
    if (ip === null) return `${JSON.stringify(address)} is no address`;
    if (isAllowedName(host, allowed) || isAllowedAddress(ip, allowed)) return null;
    const kind = kindOf(ip);
    if (kind === null) return null;
    const shown = host === address ? address : `${host} leads to ${address}, which`;
    return `${shown} is ${kind}: webhooks go there only if the setting RUNNEL_WEBHOOK_ALLOW names the host or its network`;
  };
  return {
    refuseAddress,
    refuseUrl(url) {
      const host = hostOf(url);
      if (parseIp(host) !== null) return refuseAddress(host, host);
      return isLoopbackName(host) && !isAllowedName(host, allowed)
        ? refuseLoopbackName(host, refuseAddress)
        : null;
    },
  };
}

/**
 * The host of a URL, without brackets. The parser of URLs has brought `0x7f.1`, `2130706433` and the like to their
 * usual form.
 */
export function hostOf(url: string): string {
  const { hostname } = new URL(url);
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** Whoever may reach 127.0.0.1 may also call it localhost. */
function refuseLoopbackName(host: string, refuse: AddressRules['refuseAddress']): string | null {
  const refused = ['127.0.0.1', '::1'].map((address) => refuse(host, address));
  return refused.every((problem) => problem !== null) ? (refused[0] ?? null) : null;
}

function isAllowedName(host: string, { names }: AllowedPlaces): boolean {
  const own = host.toLowerCase();
  return names.some((name) => (name.startsWith('.') ? own.endsWith(name) : own === name));
}

function isAllowedAddress(ip: IpAddress, { networks }: AllowedPlaces): boolean {
  const embedded = embeddedIpv4(ip);
  return [ip, ...(embedded === null ? [] : [embedded])].some((one) =>
    networks.some((network) => isInNetwork(one, network)),
  );
}

/** Not public, with the words for it. */
const special: readonly (readonly [network: string, kind: string])[] = [
  ['0.0.0.0/8', 'not a public address'],
  ['10.0.0.0/8', 'a private address'],
  ['100.64.0.0/10', 'a private address'],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address, where clouds keep their metadata'],
  ['172.16.0.0/12', 'a private address'],
  ['192.0.0.0/24', 'not a public address'],
  ['192.0.2.0/24', 'not a public address'],
  ['192.88.99.0/24', 'not a public address'],
  ['192.168.0.0/16', 'a private address'],
  ['198.18.0.0/15', 'not a public address'],
  ['198.51.100.0/24', 'not a public address'],
  ['203.0.113.0/24', 'not a public address'],
  ['224.0.0.0/4', 'not a public address'],
  ['240.0.0.0/4', 'not a public address'],
  ['::1/128', 'a loopback address'],
  ['fc00::/7', 'a private address'],
  ['fe80::/10', 'a link-local address'],
  ['2001::/23', 'not a public address'],
  ['2001:db8::/32', 'not a public address'],
  ['2002::/16', 'not a public address'],
  ['3fff::/20', 'not a public address'],
];

const publicIpv6 = networkOf('2000::/3');
const specialNetworks = special.map(([text, kind]) => ({ network: networkOf(text), kind }));

/** What makes an address one that is not everybody's to reach; null: it is public. */
function kindOf(ip: IpAddress): string | null {
  const embedded = embeddedIpv4(ip);
  if (embedded !== null) return kindOf(embedded);
  const found = specialNetworks.find(({ network }) => isInNetwork(ip, network));
  if (found !== undefined) return found.kind;
  return ip.bits === 128 && !isInNetwork(ip, publicIpv6) ? 'not a public address' : null;
}

function networkOf(text: string): IpNetwork {
  const network = parseNetwork(text);
  if (network === null) throw new Error(`${text} is no network`);
  return network;
}
