import type { Client } from './client.ts';
import type { Http } from './http.ts';
import { runPath } from './run-path.ts';
import { wireImported } from './wire.ts';

/** Runs as files. */
export function bundles(http: Http): Pick<Client, 'exportRun' | 'importRun'> {
  return {
    exportRun: (id, { signal } = {}) =>
      http.stream({ method: 'GET', path: `${runPath(id)}/bundle`, isTimed: false, signal }),
    importRun: (bundle, { signal } = {}) =>
      http.read(wireImported, {
        method: 'POST',
        path: '/api/v1/bundles',
        headers: { 'Content-Type': 'application/x-ndjson' },
        body: ReadableStream.from(bundle),
        isTimed: false,
        signal,
      }),
  };
}
