import { Buffer } from 'node:buffer';

export type Mask = (text: string) => string;

/** Shorter values occur in ordinary text, so masking them would garble it without hiding anything. */
const minSecretLength = 8;

/** Replaces each secret by `***`: as it stands, JSON-escaped, URL-encoded, or base64 alone or within a longer text. */
export function createMask(values: readonly string[]): Mask {
  const forms = secretForms(values);
  if (forms.length === 0) return (text) => text;
  const any = new RegExp(forms.map(escapeRegex).join('|'));
  return (text) => (any.test(text) ? replaceForms(text, forms) : text);
}

function secretForms(values: readonly string[]): string[] {
  // A value read from a file may end in a line feed that is not sent.
  const secrets = new Set(values.flatMap((value) => [value, value.trim()]));
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < minSecretLength) continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    for (const form of [...urlForms(secret), ...base64Forms(secret)]) forms.add(form);
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

function urlForms(secret: string): string[] {
  // Encoding throws on a lone surrogate, which no header can carry anyway.
  if (/\p{Surrogate}/u.test(secret)) return [];
  const encoded = encodeURIComponent(secret);
  return [encoded, encoded.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()), encoded.replaceAll('%20', '+')];
}

/** Inside a longer text, such as `user:key`, only the characters made of the secret's own bits are the same. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor((shifted.length * 8) / 6);
    const inner = shifted.toString('base64').slice(start, end);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** Secrets may overlap one another, so all places are found before any is replaced. */
function replaceForms(text: string, forms: readonly string[]): string {
  const places: { start: number; end: number }[] = [];
  for (const form of forms) {
    for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
      places.push({ start, end: start + form.length });
    }
  }
  places.sort((a, b) => a.start - b.start);
  let masked = '';
  let end = 0;
  for (const place of places) {
    if (place.start >= end) masked += `${text.slice(end, place.start)}***`;
    end = Math.max(end, place.end);
  }
  return masked + text.slice(end);
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
