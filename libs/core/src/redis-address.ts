/** One server's place. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username: string | null;
  readonly password: string | null;
  readonly isTls: boolean;
}

/** Where Redis is, and in which form. */
export type RedisAddress =
  | (Login & { readonly kind: 'single'; readonly server: HostPort; readonly db: number })
  | (Login & {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly db: number;
      readonly sentinelUsername: string | null;
      readonly sentinelPassword: string | null;
    })
  | (Login & { readonly kind: 'cluster'; readonly nodes: readonly HostPort[] });

type Form = RedisAddress['kind'];

interface FormFacts {
  readonly example: string;
  readonly defaultPort: number;
  readonly takes: readonly string[];
}

const forms: Readonly<Record<Form, FormFacts>> = {
  single: { example: 'redis://127.0.0.1:6379/0', defaultPort: 6379, takes: ['db'] },
  sentinel: {
    example: 'redis-sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster',
    defaultPort: 26_379,
    takes: ['db', 'sentinelUsername', 'sentinelPassword'],
  },
  cluster: {
    example: 'redis-cluster://10.0.0.1:6379,10.0.0.2:6379',
    defaultPort: 6379,
    takes: [],
  },
};

const schemes: Readonly<Record<string, { readonly kind: Form; readonly isTls: boolean }>> = {
  redis: { kind: 'single', isTls: false },
  rediss: { kind: 'single', isTls: true },
  'redis-sentinel': { kind: 'sentinel', isTls: false },
  'rediss-sentinel': { kind: 'sentinel', isTls: true },
  'redis-cluster': { kind: 'cluster', isTls: false },
  'rediss-cluster': { kind: 'cluster', isTls: true },
};

const shape =
  /^(?<scheme>[a-z-]+):\/\/(?:(?<login>[^/?]*)@)?(?<hosts>[^/?@]*)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;

/**
 * Reads one of `redis://`, `redis-sentinel://` and `redis-cluster://`, each with TLS as `rediss…`.
 *
 * @throws RangeError with everything that is wrong, and never with a part of the login.
 */
export function parseRedisAddress(text: string): RedisAddress {
  const parts = shape.exec(text)?.groups;
  const scheme = schemes[parts?.['scheme'] ?? ''];
  if (parts === undefined || scheme === undefined) {
    const examples = Object.values(forms).map(({ example }) => example);
    throw new RangeError(`must be an address such as ${examples.join(' or ')}`);
  }
  const problems: string[] = [];
  const facts = forms[scheme.kind];
  const query = readQuery(parts['query'], facts, problems);
  const login = { ...readLogin(parts['login'], problems), isTls: scheme.isTls };
  const hosts = readHosts(parts['hosts'] ?? '', facts, problems);
  const path = decode(parts['path'] ?? '', 'the path', problems);
  const address = build({ kind: scheme.kind, path, query, hosts, login }, problems);
  if (problems.length > 0) {
    throw new RangeError(`${problems.join('; ')} (such as ${facts.example})`);
  }
  return address;
}

interface Parts {
  readonly kind: Form;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly hosts: readonly HostPort[];
  readonly login: Login;
}

function build({ kind, path, query, hosts, login }: Parts, problems: string[]): RedisAddress {
  if (kind === 'cluster') {
    if (path !== '' && path !== '0') problems.push('a Cluster has only database 0');
    return { kind, nodes: hosts, ...login };
  }
  if (kind === 'single') {
    if (hosts.length > 1) {
      problems.push('several servers need the form redis-sentinel: or redis-cluster:');
    }
    const server = hosts[0] ?? { host: '', port: 0 };
    return { kind, server, db: readDb(query.get('db') ?? path, problems), ...login };
  }
  if (path === '') problems.push('the name of the master is missing after the last "/"');
  return {
    kind,
    sentinels: hosts,
    master: path,
    db: readDb(query.get('db') ?? '', problems),
    sentinelUsername: query.get('sentinelUsername') ?? null,
    sentinelPassword: query.get('sentinelPassword') ?? null,
    ...login,
  };
}

function readLogin(
  text: string | undefined,
  problems: string[],
): Pick<Login, 'username' | 'password'> {
  if (text === undefined || text === '') return { username: null, password: null };
  const at = text.indexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  const username = decode(name, 'the user', problems);
  const password = at < 0 ? null : decode(text.slice(at + 1), 'the password', problems);
  return { username: username === '' ? null : username, password };
}

function readHosts(text: string, { defaultPort }: FormFacts, problems: string[]): HostPort[] {
  return text.split(',').map((entry, index) => {
    const found = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/.exec(
      entry,
    );
    const port = Number(found?.groups?.['port'] ?? defaultPort);
    // Not repeated: with a "/" or "?" in a password this may be a part of it.
    if (found === null) problems.push(`server ${index + 1} is not of the form host:port`);
    else if (port < 1 || port > 65_535) problems.push(`the port of server ${index + 1} is wrong`);
    return { host: found?.groups?.['v6'] ?? found?.groups?.['name'] ?? '', port };
  });
}

function readQuery(
  text: string | undefined,
  { takes }: FormFacts,
  problems: string[],
): ReadonlyMap<string, string> {
  const query = new Map(new URLSearchParams(text ?? ''));
  for (const name of query.keys()) {
    if (takes.includes(name)) continue;
    const known = takes.length === 0 ? 'nothing' : `only ${takes.join(', ')}`;
    problems.push(`after "?" this form takes ${known}`);
  }
  return query;
}

function readDb(text: string, problems: string[]): number {
  if (!/^\d{0,5}$/.test(text)) problems.push('the database must be a number');
  return Number(text);
}

function decode(text: string, what: string, problems: string[]): string {
  try {
    return decodeURIComponent(text);
  } catch {
    problems.push(`${what} is not valid percent-encoding`);
    return '';
  }
}
