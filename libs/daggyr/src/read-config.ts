import { z } from 'zod';

// DaggyR's own files of settings; unknown fields are looked at afterwards, for remarks.

const resources = z.record(z.string(), z.number()).default({});
const port = z.int().min(0).max(65_535);

const sshTarget = z.looseObject({
  host: z.string(),
  port: port.nullish(),
  user: z.string().nullish(),
  private_key_file: z.string().nullish(),
  resources,
});
const agentTarget = z.looseObject({ base_url: z.string(), resources });

export const poolConfig = z.discriminatedUnion('executor', [
  z.looseObject({ executor: z.literal('local'), workers: z.int().positive().nullish() }),
  z.looseObject({ executor: z.literal('ssh'), targets: z.array(sshTarget).min(1) }),
  z.looseObject({ executor: z.literal('agent'), targets: z.array(agentTarget).min(1) }),
  z.looseObject({ executor: z.literal('slurm'), base_url: z.string() }),
  z.looseObject({ executor: z.literal('noop') }),
]);
export type PoolConfig = z.infer<typeof poolConfig>;

export const serverConfig = z.looseObject({
  server: z.looseObject({ ip: z.string().optional(), port: port.optional() }).optional(),
  pools: z.record(z.string(), poolConfig).optional(),
  tracker: z.unknown().optional(),
  default_pool: z.string().optional(),
});
export type ServerConfig = z.infer<typeof serverConfig>;

export const agentConfig = z.looseObject({
  ip: z.string().optional(),
  port: port.optional(),
  workers: z.int().positive().optional(),
});
export type AgentConfig = z.infer<typeof agentConfig>;

/** An agent's file has the address at its top. */
export function isAgentConfig(document: unknown): boolean {
  if (typeof document !== 'object' || document === null) return false;
  const isServer = ['server', 'pools', 'tracker', 'default_pool'].some((name) => name in document);
  return !isServer && ['ip', 'port', 'workers'].some((name) => name in document);
}
