import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Measurement, nothingMeasured } from '../workload.ts';

/** GNU make with as many targets as there are tasks: no records, no retries, nothing durable. */
export async function measureMake(tasks: number, atOnce: number): Promise<Measurement> {
  const dir = mkdtempSync(join(tmpdir(), 'runnel-bench-'));
  const lines = [
    `TASKS := $(shell seq ${tasks})`,
    'all: $(TASKS)',
    '.PHONY: all $(TASKS)',
    '$(TASKS):\n\t/bin/true $@\n',
  ];
  writeFileSync(join(dir, 'Makefile'), lines.join('\n'));
  const startedAt = performance.now();
  const child = spawn('make', [`-j${atOnce}`], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  const totalS = (performance.now() - startedAt) / 1000;
  rmSync(dir, { recursive: true });
  // make shows each command that it starts.
  const started = output.split('\n').filter((line) => line.startsWith('/bin/true')).length;
  if (code !== 0 || started !== tasks) throw new Error(`make: exit code ${code}, ${started} tasks`);
  return { ...nothingMeasured, totalS, tasksPerS: tasks / totalS };
}
