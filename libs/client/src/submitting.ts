import type { Client } from './client.ts';
import { encodeSpec } from './encode-spec.ts';
import type { Http } from './http.ts';
import { runPath } from './run-path.ts';
import { wireAccepted, wireSubmitted, wireValidated } from './wire.ts';

/** Calls that make runs. */
export function submitting(http: Http): Pick<Client, 'submitRun' | 'validateRun' | 'startRun'> {
  return {
    async submitRun(spec, options = {}) {
      const { idempotencyKey, createdOnly, source } = options;
      const { body: sent, contentType } = encodeSpec(spec);
      const { status, body } = await http.readAnswer(wireSubmitted, {
        method: 'POST',
        path: '/api/v1/runs',
        query: { createdOnly: createdOnly === true ? true : undefined, source },
        headers: {
          'Content-Type': contentType,
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
        },
        body: sent,
        isTimed: false,
        signal: options.signal,
      });
      return { ...body, isNew: status === 201 };
    },
    validateRun(spec, options = {}) {
      const { body, contentType } = encodeSpec(spec);
      return http.read(wireValidated, {
        method: 'POST',
        path: '/api/v1/runs',
        query: { dryRun: true, source: options.source },
        headers: { 'Content-Type': contentType },
        body,
        isTimed: false,
        signal: options.signal,
      });
    },
    startRun(id, options = {}) {
      const path = `${runPath(id)}/submit`;
      return http.read(wireAccepted, { method: 'POST', path, signal: options.signal });
    },
  };
}
