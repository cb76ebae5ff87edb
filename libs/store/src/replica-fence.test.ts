import { expect, test } from 'vitest';
import { countInSync } from './replica-fence.ts';

function replicaLine(number: number, state: string, lag: number): string {
  return `slave${number}:ip=10.0.0.${number},port=6379,state=${state},offset=1000,lag=${lag}`;
}

test('counts replicas that are online and gave a sign a moment ago', () => {
  const lines = [
    ...['# Replication', 'role:master', 'connected_slaves:4'],
    replicaLine(0, 'online', 0),
    replicaLine(1, 'online', 2),
    replicaLine(2, 'online', 3),
    replicaLine(3, 'wait_bgsave', 0),
    'master_repl_offset:1000',
  ];

  expect(countInSync(lines.join('\r\n'))).toBe(2);
  expect(countInSync('# Replication\r\nrole:master\r\nconnected_slaves:0\r\n')).toBe(0);
});
