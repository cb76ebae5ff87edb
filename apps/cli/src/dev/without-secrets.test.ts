import { expect, test } from 'vitest';
import { withoutSecrets } from './without-secrets.ts';

test('only workers get secrets, and where they are', () => {
  const env = { PATH: '/bin', RUNNEL_SECRETS: '/run/secrets', RUNNEL_SECRET_DB: 'hunter2' };

  expect(withoutSecrets('worker', env)).toEqual(env);
  expect(withoutSecrets('api', env)).toEqual({ PATH: '/bin' });
  expect(withoutSecrets('listener', env)).toEqual({ PATH: '/bin' });
});
