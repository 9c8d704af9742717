export type PathStep =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number };

const step =
  /\.([\p{L}_][\p{L}\p{N}_]*)|\[\s*(-?\d{1,9})\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\[\s*'((?:[^'\\]|\\.)*)'\s*\]/uy;

/** The steps of a JSONPath of names and indices alone; undefined for wildcards, slices, filters and what is no path. */
export function parsePlainPath(path: string): readonly PathStep[] | undefined {
  const text = path.trim();
  if (!text.startsWith('$')) return undefined;
  const steps: PathStep[] = [];
  let position = 1;
  while (position < text.length) {
    step.lastIndex = position;
    const match = step.exec(text);
    if (match === null) return undefined;
    const [whole, name, index, doubleQuoted, singleQuoted] = match;
    if (name !== undefined) steps.push({ kind: 'name', name });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else {
      const unescaped = unescape(doubleQuoted ?? singleQuoted ?? '', doubleQuoted === undefined);
      if (unescaped === undefined) return undefined;
      steps.push({ kind: 'name', name: unescaped });
    }
    position += whole.length;
  }
  return steps;
}

/** Quoted names are written as in JSON; between single quotes, these are the ones to escape. */
function unescape(text: string, singleQuoted: boolean): string | undefined {
  const json = singleQuoted
    ? text.replaceAll(/\\.|"/g, (part) => (part === '"' ? String.raw`\"` : part === String.raw`\'` ? "'" : part))
    : text;
  try {
    return String(JSON.parse(`"${json}"`));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
