import type { FinalTaskState } from '@runnel/core';
import type { CallOptions, Client } from './client.ts';
import { encodeSpec } from './encode-spec.ts';
import type { Http } from './http.ts';
import { runPath } from './run-path.ts';
import { type WireAccepted, wireAccepted, wireRetried } from './wire.ts';
import { type WireEdited, wireEdited } from './wire-edit.ts';

/** Which tasks; without any of it, every task that failed or was cancelled. */
export interface RetryOptions extends CallOptions {
  readonly tasks?: readonly (string | number)[] | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly states?: readonly FinalTaskState[] | undefined;
  /** These tasks whatever their state. */
  readonly from?: readonly (string | number)[] | undefined;
  /** Only says what would be brought back. */
  readonly dryRun?: boolean | undefined;
}

export interface EditOptions extends CallOptions {
  /** The revision that the spec was made from, as `readRevision` tells it: an edit of another one is refused. */
  readonly revision: number;
  /** The spec's folder, absolute, for `{{run.source}}`; accepted from this machine only. */
  readonly source?: string | undefined;
}

export interface PreviewOptions extends CallOptions, Pick<EditOptions, 'source'> {
  /** Lists tasks, too: a page of those with a fate, or of all but `reused`. */
  readonly list?: boolean | undefined;
  readonly fate?: WireEdited['tasks'][number]['fate'] | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Calls that change a run which goes on afterwards. */
export function changing(
  http: Http,
): Pick<Client, 'cancelRun' | 'pauseRun' | 'resumeRun' | 'retryRun' | 'editRun' | 'previewEdit'> {
  const ask =
    (verb: string) =>
    async (id: string, options: CallOptions = {}): Promise<WireAccepted & { isNew: boolean }> => {
      const path = `${runPath(id)}/${verb}`;
      const request = { method: 'POST', path, signal: options.signal } as const;
      const { status, body } = await http.readAnswer(wireAccepted, request);
      return { ...body, isNew: status === 202 };
    };
  return {
    cancelRun: ask('cancel'),
    pauseRun: ask('pause'),
    resumeRun: ask('resume'),
    async retryRun(id, { dryRun, signal, ...selector } = {}) {
      const { status, body } = await http.readAnswer(wireRetried, {
        method: 'POST',
        path: `${runPath(id)}/retry`,
        query: { dryRun: dryRun === true ? true : undefined },
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(selector),
        signal,
      });
      return { ...body, isNew: status === 202 };
    },
    editRun(id, spec, { revision, source, signal }) {
      const { body, contentType } = encodeSpec(spec);
      return http.read(wireEdited, {
        method: 'PUT',
        path: `${runPath(id)}/spec`,
        query: { source },
        headers: { 'Content-Type': contentType, 'If-Match': `"${revision}"` },
        body,
        isTimed: false,
        signal,
      });
    },
    previewEdit(id, spec, { signal, ...query } = {}) {
      const { body, contentType } = encodeSpec(spec);
      return http.read(wireEdited, {
        method: 'PUT',
        path: `${runPath(id)}/spec`,
        query: { dryRun: true, ...query },
        headers: { 'Content-Type': contentType },
        body,
        isTimed: false,
        signal,
      });
    },
  };
}
