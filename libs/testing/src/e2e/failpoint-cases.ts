import type { Failpoint } from '@runnel/core';
import type { App } from '../stack.ts';

/** Points that an ordinary run with retries passes, and whose process a crash takes down there. */
export const ordinaryPoints: readonly (readonly [Failpoint, App])[] = [
  ['claim.before', 'worker'],
  ['claim.after', 'worker'],
  ['execute.before-report', 'worker'],
  ['report.before-append', 'worker'],
  ['report.after-append', 'worker'],
  ['settle.before', 'worker'],
  ['settle.after', 'worker'],
  ['outbox.before-add', 'worker'],
  ['outbox.after-add', 'worker'],
  ['outbox.after-clear', 'worker'],
  ['settle.before', 'listener'],
  ['settle.after', 'listener'],
  ['turn.before', 'listener'],
  ['turn.after', 'listener'],
  ['outbox.before-add', 'listener'],
  ['outbox.after-add', 'listener'],
  ['outbox.after-clear', 'listener'],
  ['ack.before', 'listener'],
  ['ack.after', 'listener'],
  ['times.before-release', 'listener'],
  ['times.after-release', 'listener'],
];

/** Points of a submission; the run exists for others after the last. */
export const submitPoints: readonly Failpoint[] = [
  'submit.before-create',
  'submit.after-create',
  'submit.before-page',
  'submit.after-page',
  'submit.before-seal',
  'submit.after-seal-page',
  'submit.after-seal',
];

export const startPoints: readonly Failpoint[] = ['start.before', 'start.after'];
export const returnPoints: readonly Failpoint[] = ['return.before', 'return.after'];
export const lostPoints: readonly Failpoint[] = ['lost.before-reissue', 'lost.after-reissue'];
export const buryPoints: readonly Failpoint[] = ['bury.before', 'bury.after'];
export const cancelPoints: readonly Failpoint[] = [
  'cancel.before',
  'cancel.after-first-page',
  'cancel.after-tell',
];
export const haltPoints: readonly Failpoint[] = ['halt.before-page', 'halt.after-page'];
export const pausePoints: readonly Failpoint[] = [
  'pause.before',
  'pause.after-flag',
  'pause.after-tell',
];
export const resumePoints: readonly Failpoint[] = ['resume.before', 'resume.after'];
export const retryPoints: readonly Failpoint[] = ['retry.before-begin', 'retry.after-begin'];
export const retryPagePoints: readonly Failpoint[] = ['retry.before-page', 'retry.after-page'];
/** Points that a worker passes when the set of a generator joins its run. */
export const appendPoints: readonly Failpoint[] = [
  'append.before',
  'append.after-page',
  'append.before-show',
  'append.after-show',
];
/** The same where the set replaces another, and results are carried over. */
export const carryPoints: readonly Failpoint[] = ['append.after-carry', ...appendPoints];
/** Where results that a worker had carried over before it died are taken away again. */
export const wipePoints: readonly Failpoint[] = ['append.after-wipe'];
export const partCancelPoints: readonly Failpoint[] = [
  'part-cancel.before-begin',
  'part-cancel.after-begin',
];
export const partCancelPagePoints: readonly Failpoint[] = [
  'part-cancel.before-page',
  'part-cancel.after-page',
];
export const partPausePoints: readonly Failpoint[] = [
  'part-pause.before',
  'part-pause.after',
  'part-pause.after-tell',
];
export const removePoints: readonly Failpoint[] = ['remove.before', 'remove.after'];

/** Points of a move to the archive. */
export const archivePoints: readonly Failpoint[] = [
  'archive.before-copy',
  'archive.after-part',
  'archive.before-seal',
  'archive.after-seal',
  'remove.before',
  'remove.after',
];
/** Points of a run that is brought back from there, to be read or retried. */
export const takeBackPoints: readonly Failpoint[] = [
  'take-back.before-create',
  'take-back.after-create',
  'take-back.before-open',
  'take-back.after-open',
  'take-back.after-keep',
];

/** Of giving a run its number, for DaggyR's clients. */
export const numberPoints: readonly Failpoint[] = ['number.after-count'];
/** Points of an edit that the api passes before anything is set back, in order. */
export const editPoints: readonly Failpoint[] = [
  'edit.after-parts',
  'edit.after-begin',
  'edit.before-swap',
  'edit.after-swap',
];

/** Behind each page of setting back. */
export const editPagePoints: readonly Failpoint[] = ['edit.after-page'];

/** Points of the listener, which brings to its end what an api has left. */
export const editThawPoints: readonly Failpoint[] = ['edit.before-thaw', 'edit.after-thaw'];

export const hookPoints: readonly Failpoint[] = [
  'hook.before-post',
  'hook.after-post',
  'hook.after-move',
];

/** Every point that a test crashes at. */
export const crashedPoints: readonly Failpoint[] = [
  ...ordinaryPoints.map(([point]) => point),
  ...[...submitPoints, ...startPoints, ...returnPoints, ...lostPoints, ...buryPoints],
  ...[...cancelPoints, ...pausePoints, ...resumePoints, ...haltPoints, ...removePoints],
  ...[...retryPoints, ...retryPagePoints, ...carryPoints, ...wipePoints],
  ...[...numberPoints, ...hookPoints],
  ...[...partCancelPoints, ...partCancelPagePoints, ...partPausePoints],
  ...[...editPoints, ...editPagePoints, ...editThawPoints, ...archivePoints, ...takeBackPoints],
];
