import { escapeTemplate } from './nunjucks.ts';

/** One-liners that a built-in check says exactly. */
export function convertPlain(code: string): Readonly<Record<string, unknown>> | undefined {
  const line = code.trim().replace(/;+\s*$/, '');
  const [, negation, lower, method = '', quoted = ''] =
    /^(!?)output(\.toLowerCase\(\))?\.(includes|startsWith|endsWith)\(("[^"\\]+"|'[^'\\]+')\)$/.exec(line) ?? [];
  if (method !== '') {
    const text = quoted.slice(1, -1);
    // A text with capitals is in no text of small letters.
    if (lower !== undefined && !/^[\x20-\x40[-\x7e]*$/.test(text)) return undefined;
    const name = method === 'includes' ? 'contains' : method;
    const check = { [name]: { value: escapeTemplate(text), ...(lower === undefined ? {} : { ignoreCase: true }) } };
    return negation === '!' ? { not: check } : check;
  }
  const [, trim, equal = ''] = /^output(\.trim\(\))? === ("[^"\\]*"|'[^'\\]*')$/.exec(line) ?? [];
  if (equal !== '') {
    const text = equal.slice(1, -1);
    if (trim === undefined) return { equals: { value: escapeTemplate(text) } };
    return text === text.trim() ? { equals: { value: escapeTemplate(text), trim: true } } : undefined;
  }
  const [, path = '', literal = ''] =
    /^JSON\.parse\(output\)((?:\.[A-Za-z_]\w*|\[\d+\])+) === ("[^"\\]*"|'[^'\\]*'|true|false|-?\d{1,15}(?:\.\d{1,9})?)$/.exec(
      line,
    ) ?? [];
  if (literal === '' || /\.(?:length|constructor|toString|__proto__)\b/.test(path)) return undefined;
  const value: unknown = /^["']/.test(literal)
    ? escapeTemplate(literal.slice(1, -1))
    : (JSON.parse(literal) as unknown);
  return { equals: { value }, select: { jsonPath: `$${path}` } };
}
