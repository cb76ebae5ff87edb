import { readFileSync } from 'node:fs';
import { systemClock, type Plan } from '@runnel/core';
import { submitRun } from '@runnel/engine';
import { loadExecutors } from '@runnel/executors';
import { connectRedis, nudge, readRun } from '@runnel/store';
import { groupOf } from '../random-graph.ts';
import { Stack } from '../stack.ts';

const [kind='layers', a='20', b='5000', workers='1'] = process.argv.slice(2);
const stack = await Stack.start({ workers: Number(workers), env: { RUNNEL_CONCURRENCY: '2' } });
const redis = connectRedis(stack.redis.url, console.error);
const executors = await loadExecutors();
function layers(L: number, W: number, P: number): Plan {
  const n = L * W; const off = new Uint32Array(n + 1); const e: number[] = [];
  for (let t = 0; t < n; t++) { off[t] = e.length; const l = Math.floor(t / W); if (l) { const s = new Set<number>(); while (s.size < Math.min(P, W)) s.add((l - 1) * W + Math.floor(Math.random() * W)); e.push(...[...s].sort((x, y) => x - y)); } }
  off[n] = e.length;
  const group = { ...groupOf({ isBarrier: false, retries: 0, allowFailure: false }, 'c'), executor: process.env.EX ?? 'noop' , details: process.env.EX==='local'?{command:['/bin/true']}:{} };
  return { name: null, tags: {}, nodeCount: n, barrierCount: 0, groups: [group], groupRanges: Uint32Array.from([0, 0]), parentOffsets: off, parents: Uint32Array.from(e), *payloads() { for (let i = 0; i < n; i++) yield { values: [], id: `t${i}` }; }, onFailure: 'continue', parallelism: null };
}
const plan = kind === 'layers' ? layers(Number(a), Number(b), 3) : layers(Number(a), 1, 1);
const mem = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
const m0 = await mem(); const t0 = performance.now();
const { runId } = await submitRun({ redis, namespace: 'runnel', executors, now: systemClock.now() }, { plan, spec: {}, source: null, priority: 0 });
const t1 = performance.now(); const m1 = await mem();
await nudge(redis, 'runnel', runId);
for (;;) { const r = await readRun(redis, 'runnel', runId); if (r.state !== 'running') { const t2 = performance.now(); console.log(r.state, JSON.stringify(r.counts), 'dup', r.duplicates, `submit ${(t1 - t0).toFixed(0)} ms, run ${(t2 - t1).toFixed(0)} ms, ${(plan.nodeCount / (t2 - t1) * 1000).toFixed(0)}/s, ${(t2-t1)/Number(a)} ms/layer  B/task ${(m1 - m0) / plan.nodeCount} end ${((await mem()) - m0) / plan.nodeCount}`); break; } if (performance.now() - t1 > 4000) { console.log(r.counts); for (const p of stack.processes) console.log(p.log.join('\n').slice(0,3000)); for (let i=0;i<32;i++) console.log(await redis.xlen('runnel:{r'+i+'}:outcomes')); break; } await new Promise((s) => setTimeout(s, 20)); }
for (const p of stack.processes) console.log(p.app, p.log.filter((l) => l.includes('"level":"warn"') || l.includes('"level":"error"') || l.includes('"level":40') || l.includes('"level":50')).slice(0, 3).join('\n'), /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${p.pid}/status`, 'utf8'))?.[1]);
redis.disconnect();
await stack[Symbol.asyncDispose]();
