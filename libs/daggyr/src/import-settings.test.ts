import { expect, test } from 'vitest';
import { importSettings } from './import-settings.ts';
import { settingsFile } from './settings-file.ts';

const clients =
  'clients: their base URL gets "/daggyr" at its end, such as http://127.0.0.1:2503/daggyr';

test('the address and a local pool become settings', () => {
  const imported = importSettings({
    server: { ip: '127.0.0.1', port: 2503 },
    pools: { localhost: { executor: 'local', workers: 5 } },
  });

  expect(imported).toEqual({
    settings: {
      host: '127.0.0.1',
      port: 2503,
      pools: ['default', 'localhost'],
      knownPools: ['default', 'localhost'],
      concurrency: 5,
    },
    remarks: [clients],
  });
});

test('an address that others can reach needs a token', () => {
  const { remarks } = importSettings({ server: { ip: '0.0.0.0' }, pools: {} });

  expect(remarks[0]).toContain('set RUNNEL_TOKEN');
});

test('what other machines did is told, a machine a remark', () => {
  const { settings, remarks } = importSettings({
    default_pool: 'far',
    tracker: { tracker: 'Memory' },
    colour: 'red',
    pools: {
      far: {
        executor: 'ssh',
        targets: [
          { host: 'a', user: 'bob', resources: { cores: 10, memory_mb: 2048 } },
          { host: 'b', resources: {} },
        ],
      },
      agents: { executor: 'agent', targets: [{ base_url: 'http://c:2504/api/v1' }] },
      cluster: { executor: 'slurm', base_url: 'http://s:6820' },
      'no name!': { executor: 'local' },
    },
  });

  expect(settings).toEqual({ knownPools: ['default', 'far', 'agents', 'cluster'] });
  expect(remarks).toEqual([
    clients,
    'tracker: there is none to choose: runs are in Redis (RUNNEL_REDIS_URL), and outlive every process',
    'colour: not known, left out',
    'pools.far.targets[0]: runs do not choose ssh by their pool here: start a worker on bob@a, with RUNNEL_POOLS=default,far RUNNEL_CONCURRENCY=10 and RUNNEL_REDIS_URL; memory_mb are not counted',
    'pools.far.targets[1]: runs do not choose ssh by their pool here: start a worker on b, with RUNNEL_POOLS=default,far and RUNNEL_REDIS_URL',
    'pools.agents.targets[0]: instead of the agent at http://c:2504/api/v1, start a worker on that machine, with RUNNEL_POOLS=agents and RUNNEL_REDIS_URL',
    'pools.cluster: runs do not choose Slurm by their pool here: have a worker serve it (RUNNEL_POOLS=cluster) and the commands call srun; http://s:6820 is left out',
    'pools["no name!"]: no name for a pool here (letters, digits, "_", "-"): it is left out; runs that name it go to "default"',
  ]);
});

test('several local pools of different size need a worker each', () => {
  const { settings, remarks } = importSettings({
    pools: { default: { executor: 'local', workers: 2 }, big: { executor: 'local', workers: 8 } },
  });

  expect(settings).toMatchObject({ pools: ['default', 'big'], concurrency: 8 });
  expect(remarks.at(-1)).toContain('(default: 2, big: 8): start a worker for each pool');
});

test("an agent's file becomes that of a worker", () => {
  const { settings, remarks } = importSettings({ ip: '0.0.0.0', port: 2504, workers: 3 });

  expect(settings).toEqual({ concurrency: 3 });
  expect(remarks).toEqual([
    expect.stringContaining('that listens on 0.0.0.0:2504, start a worker'),
  ]);
});

test('all that is wrong is told at once', () => {
  const wrong = {
    server: { port: 'x' },
    pools: { a: { executor: 'magic' }, b: { executor: 'ssh' } },
  };

  expect(() => importSettings(wrong)).toThrow(
    /server\.port: .*\npools\.a\.executor: no executor of DaggyR.*\npools\.b\.targets: /s,
  );
});

test('the file is written as YAML, with a word on where it is from', () => {
  expect(settingsFile({ host: '::1', port: 1, pools: ['a'], concurrency: 2 }, 'server.json')).toBe(
    '# Made from server.json.\nhost: "::1"\nport: 1\npools: ["a"]\nconcurrency: 2',
  );
});
