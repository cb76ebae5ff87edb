import type { FinalTaskState, OpenTaskState } from '@runnel/core';
import type { CallOptions, Client } from './client.ts';
import { encodeSpec } from './encode-spec.ts';
import type { Http } from './http.ts';
import { runPath } from './run-path.ts';
import { type WireAccepted, wireAccepted, wireRetried } from './wire.ts';
import { type WireChanged, wireChanged } from './wire-changes.ts';
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
/** Which tasks that have not ended; without any of it, the whole run. */
export interface ChangeOptions extends CallOptions {
  readonly tasks?: readonly (string | number)[] | undefined;
  readonly classes?: readonly string[] | undefined;
  readonly states?: readonly OpenTaskState[] | undefined;
  /** These tasks, and all that hangs on them. */
  readonly from?: readonly (string | number)[] | undefined;
  /** Only says which tasks it would be about. */
  readonly dryRun?: boolean | undefined;
}

/** `selected` and what follows are there where tasks were named, or with `dryRun`. */
export type ChangeAnswer = WireAccepted &
  Partial<WireChanged> & {
    /** False where nothing was changed: it was so before, or with `dryRun`. */
    readonly isNew: boolean;
  };

/** Calls that change a run which goes on afterwards. */
export function changing(
  http: Http,
): Pick<Client, 'cancelRun' | 'pauseRun' | 'resumeRun' | 'retryRun' | 'editRun' | 'previewEdit'> {
  const ask =
    (verb: string) =>
    async (
      id: string,
      { dryRun, signal, ...selector }: ChangeOptions = {},
    ): Promise<ChangeAnswer> => {
      const isWhole = Object.values(selector).every((one) => one === undefined);
      const answer = isWhole && dryRun !== true ? wireAccepted : wireChanged;
      const { status, body } = await http.readAnswer<WireAccepted & Partial<WireChanged>>(answer, {
        method: 'POST',
        path: `${runPath(id)}/${verb}`,
        query: { dryRun: dryRun === true ? true : undefined },
        ...(isWhole ? {} : jsonBody(selector)),
        signal,
      });
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
        ...jsonBody(selector),
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

function jsonBody(value: object): { headers: Record<string, string>; body: string } {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
