import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const folder = resolve(import.meta.dirname, '..');

const service = z.object({
  image: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  deploy: z.object({ replicas: z.int() }).default({ replicas: 1 }),
  restart: z.string(),
  healthcheck: z.object({ test: z.array(z.string()) }),
  stop_grace_period: z.string().optional(),
});
const compose = z.object({
  services: z.strictObject({ redis: service, api: service, listener: service, worker: service }),
  volumes: z.record(z.string(), z.null()),
});

const { services, volumes } = compose.parse(
  parse(readFileSync(resolve(folder, 'docker-compose.yml'), 'utf8'), { merge: true }),
);
const all = Object.values(services);

test('publishes the API on loopback and nothing else', () => {
  expect(services.api.ports).toEqual(['127.0.0.1:2503:2503']);
  expect(all.flatMap(({ ports }) => ports)).toHaveLength(1);
});

test('demands a token, and gives it to the API alone', () => {
  expect(services.api.environment['RUNNEL_TOKEN']).toMatch(/^\$\{RUNNEL_TOKEN:\?.+\}$/);
  expect(JSON.stringify([services.worker, services.listener, services.redis])).not.toContain(
    'RUNNEL_TOKEN',
  );
});

test('keeps an append-only file and evicts nothing', () => {
  const command = services.redis.command.join(' ');

  expect(command).toContain('--appendonly yes --appendfsync everysec');
  expect(command).toContain('--maxmemory-policy noeviction');
  expect(services.redis.volumes).toEqual(['redis:/data']);
  expect(Object.keys(volumes)).toEqual(['redis', 'data']);
});

test('runs two workers on one volume of data, and two listeners', () => {
  expect(services.worker.deploy.replicas).toBe(2);
  expect(services.worker.volumes).toEqual(['data:/data']);
  expect(services.listener.deploy.replicas).toBe(2);
});

test('checks the health of every service and starts it again', () => {
  expect(all.map(({ restart }) => restart)).toEqual(Array(4).fill('unless-stopped'));
  expect(all.every(({ healthcheck }) => healthcheck.test.length > 1)).toBe(true);
  for (const { environment, healthcheck } of [services.worker, services.listener]) {
    expect(healthcheck.test.join(' ')).toContain(`:${environment['RUNNEL_HEALTH_PORT']}/readyz`);
  }
});

test('gives a worker longer to stop than its grace period', () => {
  expect(services.worker.environment['RUNNEL_GRACE']).toBe('30s');
  expect(services.worker.stop_grace_period).toBe('60s');
});

test('the image runs the sources as a user without rights, with the data in a volume', () => {
  const steps = readFileSync(resolve(folder, 'Dockerfile'), 'utf8').split('\n');

  expect(steps.filter((step) => step.startsWith('FROM '))).toHaveLength(3);
  expect(steps.filter((step) => /^FROM (?!node:26-slim\b)/.test(step))).toEqual([]);
  expect(steps).toContain('USER 1000:1000');
  expect(steps.findIndex((step) => step.startsWith('RUN mkdir /data'))).toBeLessThan(
    steps.indexOf('USER 1000:1000'),
  );
  expect(steps).toContain('VOLUME /data');
  expect(steps.some((step) => step.includes('npm ci --omit=dev'))).toBe(true);
  expect(steps.some((step) => step.includes('npm run build'))).toBe(false);
});

test('only named folders go into the image: never .env', () => {
  const lines = readFileSync(resolve(folder, '.dockerignore'), 'utf8').split('\n');

  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))[0]).toBe('*');
  expect(lines.filter((line) => line.startsWith('!'))).toEqual([
    '!package.json',
    '!package-lock.json',
    '!libs',
    '!apps',
  ]);
});
