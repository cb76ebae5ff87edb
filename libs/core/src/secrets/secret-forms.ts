/** Shorter values are not looked for: they would blot out ordinary words. In characters. */
export const minSecretChars = 6;

/** Of the lines into which `base64` and others break what is longer. */
const lineWidths = [64, 76];

/**
 * The forms of a value that are looked for: itself, its lines, as text in JSON, in an address, and in base64, wherever
 * it stands in what was encoded. Values that are too short have none.
 */
export function formsOf(value: string): readonly Buffer[] {
  const forms = new Set<string>();
  const add = (form: string): void => {
    if (form.length >= minSecretChars) forms.add(form);
  };
  if (value.length < minSecretChars) return [];
  const lines = value.split(/\r?\n/);
  for (const text of [value, ...lines]) {
    if (text.length < minSecretChars) continue;
    add(text);
    const json = JSON.stringify(text).slice(1, -1);
    add(json);
    add(toAscii(json));
    add(encodeURIComponent(text.toWellFormed()));
  }
  for (const form of base64Forms(value)) add(form);
  return [...forms].map((form) => Buffer.from(form));
}

/** As JSON is written by those who leave no character beyond ASCII in it. */
function toAscii(json: string): string {
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Three bytes become four characters, so there are three ways to encode a value that stands within something longer,
 * such as `user:password`. Characters at both ends that depend on what stands beside it are left out.
 */
function* base64Forms(value: string): Generator<string> {
  const bytes = Buffer.from(value);
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((padded.length * 8) / 6);
    for (const encoding of ['base64', 'base64url'] as const) {
      yield padded.toString(encoding).slice(first, end);
    }
  }
  const whole = bytes.toString('base64').slice(0, Math.floor((bytes.length * 8) / 6));
  for (const width of lineWidths) {
    for (let at = 0; at < whole.length; at += width) yield whole.slice(at, at + width);
  }
}
