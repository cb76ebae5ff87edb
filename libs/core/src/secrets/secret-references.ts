import type { Issue } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { isSecretName, secretNameRule } from './secret-source.ts';

/** A path inside details at which `{ secret: NAME }` may stand in place of a text; `*` is every name there. */
export type SecretPlace = readonly string[];

/** A `{ secret: NAME }` as it is written in details. */
export interface SecretReference {
  readonly path: readonly string[];
  readonly name: string;
}

/**
 * The references in details as they are written. Only these count: what a placeholder brings, such as the output of a
 * parent, must not be able to ask for a secret.
 *
 * @param issues takes what is wrong with them, with paths inside the details.
 */
export function findSecretReferences(
  places: readonly SecretPlace[],
  written: Json,
  issues: Issue[] = [],
): readonly SecretReference[] {
  const found: SecretReference[] = [];
  for (const place of places) {
    for (const [path, value] of valuesAt(place, written, [])) {
      if (!isJsonObject(value) || !Object.hasOwn(value, 'secret')) continue;
      const problem = findProblem(value);
      if (problem === null) found.push({ path, name: String(value['secret']) });
      else issues.push({ path, message: problem });
    }
  }
  return found;
}

/** Rendered details with texts in place of the references: `texts[n]` for `references[n]`. */
export function fillSecretReferences(
  details: Json,
  references: readonly SecretReference[],
  texts: readonly string[],
): Json {
  return references.reduce<Json>(
    (filled, { path }, index) => putAt(filled, path, texts[index] ?? ''),
    details,
  );
}

/** `environment.* and stdin`: where references may stand, for a message. */
export function describePlaces(places: readonly SecretPlace[]): string {
  return places.map((place) => place.join('.')).join(' and ');
}

function* valuesAt(
  place: SecretPlace,
  value: Json | undefined,
  path: readonly string[],
): Generator<readonly [path: readonly string[], value: Json | undefined]> {
  const [first, ...rest] = place;
  if (first === undefined) {
    yield [path, value];
    return;
  }
  if (!isJsonObject(value)) return;
  for (const key of first === '*' ? Object.keys(value) : [first]) {
    if (Object.hasOwn(value, key)) yield* valuesAt(rest, value[key], [...path, key]);
  }
}

function findProblem(reference: JsonObject): string | null {
  const { secret } = reference;
  const other = Object.keys(reference).find((key) => key !== 'secret');
  if (other !== undefined) {
    return `a reference to a secret has no other fields: write { secret: NAME } without "${other}"`;
  }
  if (typeof secret !== 'string') return `expected the name of a secret: ${secretNameRule}`;
  if (isSecretName(secret)) return null;
  const shown = JSON.stringify(secret.slice(0, 60));
  if (secret.includes('{{')) {
    return `${shown} can't name a secret: placeholders are not filled in here, write the name itself`;
  }
  return `${shown} can't name a secret: a name is ${secretNameRule}`;
}

function putAt(value: Json, path: readonly string[], text: string): Json {
  const [first, ...rest] = path;
  if (first === undefined) return text;
  const object = isJsonObject(value) ? value : {};
  return { ...object, [first]: putAt(object[first] ?? null, rest, text) };
}
