export { type Imported, type ImportedSettings, importSettings } from './import-settings.ts';
export { fromTaskId, toTaskId } from './names.ts';
export type { NativeEntry, NativeHead, Ref } from './native-entry.ts';
export { settingsFile } from './settings-file.ts';
export { specLines } from './spec-lines.ts';
export {
  countTaskStates,
  type DaggyrState,
  daggyrStates,
  toRunState,
  toTaskState,
} from './states.ts';
export {
  type GeneratedOptions,
  type GeneratedTasks,
  translateGenerated,
} from './translate-generated.ts';
export { type TranslateOptions, type Translation, translateRun } from './translate-run.ts';
