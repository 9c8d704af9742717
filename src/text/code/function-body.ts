/** promptfoo takes several lines as the body of a function, and returns the value of a single one. */
export function buildFunctionBody(code: string): string {
  if (code.includes('\n')) return code;
  const line = code.trim().replace(/;+\s*$/, '');
  if (!/^(?:const|let|var)\s/.test(line)) return `return ${line}`;
  const last = findLastSemicolon(line);
  const expression = line.slice(last + 1).trim();
  return last === -1 || expression === '' ? line : `${line.slice(0, last + 1)} return ${expression}`;
}

/** The last semicolon outside of texts and brackets. */
function findLastSemicolon(line: string): number {
  let last = -1;
  let depth = 0;
  let quote = '';
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index);
    if (quote !== '') {
      if (char === '\\') index += 1;
      else if (char === quote) quote = '';
    } else if (/["'`]/.test(char)) quote = char;
    else if (/[([{]/.test(char)) depth += 1;
    else if (/[)\]}]/.test(char)) depth -= 1;
    else if (char === ';' && depth === 0) last = index;
  }
  return last;
}
