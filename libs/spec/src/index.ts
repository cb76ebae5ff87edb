export { edgeOf } from './barriers.ts';
export { type ParsedDocument, type Position, parseDocument } from './document.ts';
export { parseDuration } from './duration.ts';
export type { ExecutorCatalog } from './entries.ts';
export {
  type ExpandOptions,
  type Expansion,
  expandSpec,
  expandSpecInTurns,
  type GeneratedValidation,
  type Validation,
  validateGenerated,
  validateSpec,
} from './expand.ts';
export {
  type GeneratedSet,
  maxGeneratedBytes,
  parseGenerated,
  readGeneratedValue,
} from './generated-text.ts';
export {
  addGeneratorEnds,
  edgeToChild,
  edgeToEnd,
  endGroup,
  endPrefix,
} from './generator-ends.ts';
export { barrierGroup } from './groups.ts';
export type { OuterRef } from './links.ts';
export { runSpecJsonSchema, runSpecSchema } from './schema.ts';
export { SpecJson, type SpecOfJson } from './spec-json.ts';
export { SpecLines } from './spec-lines.ts';
export {
  type CompiledTemplate,
  compileTemplate,
  MissingOutputError,
  type RenderContext,
} from './template.ts';
export type { RefuseWebhook } from './webhooks.ts';
