import type { PoolConfig } from './read-config.ts';

/** What has to be done so that a pool is served as it was. */
export function* describePool(
  name: string,
  pool: PoolConfig,
  isStandard: boolean,
): Generator<string> {
  const served = isStandard && name !== 'default' ? `default,${name}` : name;
  switch (pool.executor) {
    case 'ssh':
      for (const [index, { host, user, resources }] of pool.targets.entries()) {
        const target = user === null || user === undefined ? host : `${user}@${host}`;
        yield `pools.${name}.targets[${index}]: runs do not choose ssh by their pool here: start a worker on ${target}, ${startOf(served, resources)}`;
      }
      return;
    case 'agent':
      for (const [index, { base_url: url, resources }] of pool.targets.entries()) {
        yield `pools.${name}.targets[${index}]: instead of the agent at ${url}, start a worker on that machine, ${startOf(served, resources)}`;
      }
      return;
    case 'slurm':
      yield `pools.${name}: runs do not choose Slurm by their pool here: have a worker serve it (RUNNEL_POOLS=${served}) and the commands call srun; ${pool.base_url} is left out`;
      return;
    default:
  }
}

function startOf(pools: string, resources: Readonly<Record<string, number>>): string {
  const { cores, ...others } = resources;
  const size = cores === undefined ? '' : ` RUNNEL_CONCURRENCY=${Math.max(1, Math.floor(cores))}`;
  const rest = Object.keys(others);
  const uncounted = rest.length === 0 ? '' : `; ${rest.join(', ')} are not counted`;
  return `with RUNNEL_POOLS=${pools}${size} and RUNNEL_REDIS_URL${uncounted}`;
}
