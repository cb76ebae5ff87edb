import { describe, expect, test } from 'vitest';
import { parseSigningKey, signMessage } from './sign.ts';

test("signs the specification's example as the specification does", () => {
  const key = parseSigningKey('KEY', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');

  const signature = signMessage(key, {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
  });

  expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

describe('a secret', () => {
  test('may end with a line break', () => {
    expect(parseSigningKey('KEY', `whsec_${Buffer.alloc(32).toString('base64')}\n`)).toEqual(
      Buffer.alloc(32),
    );
  });

  test.each([
    ['without its prefix', Buffer.alloc(32).toString('base64')],
    ['that is too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['that is too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['that is no base64', 'whsec_not base64 at all, but long enough to be it'],
    ['that is empty', ''],
  ])('%s is refused, and told how to make one', (_, secret) => {
    expect(() => parseSigningKey('KEY', secret)).toThrow(
      'the secret "KEY" can\'t sign: it must be "whsec_" and 24 to 64 bytes in base64, as of: echo "whsec_$(openssl rand -base64 32)"',
    );
  });
});
