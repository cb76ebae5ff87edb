import { expect, test } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

test('workers and listeners get secrets, and where they are; the API does not', () => {
  const env = { PATH: '/bin', RUNNEL_SECRETS: '/run/secrets', RUNNEL_SECRET_DB: 'hunter2' };

  expect(withoutSecrets('worker', env)).toEqual(env);
  expect(withoutSecrets('api', env)).toEqual({ PATH: '/bin' });
  expect(withoutSecrets('listener', env)).toEqual(env);
});
