/**
 * What of a Markdown report could act outside of code: the code is taken out, and what is left must be made of the
 * report's own few signs. Undefined where nothing is wrong.
 */
export function findMarkdownFault(text: string): string | undefined {
  const outside: string[] = [];
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    const marker = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && marker !== undefined) fence = marker;
    else if (fence === undefined) outside.push(withoutCode(line));
    else if (marker?.startsWith(fence) === true && line.trim() === marker) fence = undefined;
  }
  if (fence !== undefined) return `a fence is not closed: ${fence}`;
  return findTableFault(outside) ?? findTagFault(outside) ?? outside.flatMap(findSignFault)[0];
}

/** Code spans as CommonMark pairs them, and `<code>` that holds only letters, digits, entities and bold. */
function withoutCode(line: string): string {
  let rest = line.replace(/<code>(?:[\p{L}\p{N}\p{M} …]|&#\d+;|<\/?b>)*<\/code>/gu, 'CODE');
  let found = '';
  for (;;) {
    const open = /`+/.exec(rest);
    if (open === null) return found + rest;
    const [run] = open;
    const after = rest.slice(open.index + run.length);
    const close = [...after.matchAll(/`+/g)].find(([other]) => other.length === run.length);
    if (close === undefined) return `${found}${rest} UNPAIRED <`;
    found += `${rest.slice(0, open.index)}${line.startsWith('|') ? keptBars(after.slice(0, close.index)) : 'CODE'}`;
    rest = after.slice(close.index + run.length);
  }
}

/** A bar ends a table's cell even in code, unless a backslash stands before it; two of them mean different things to different parsers. */
function keptBars(code: string): string {
  return /\\\\\|/.test(code) ? 'AMBIGUOUS <' : `CODE${'|'.repeat(code.match(/(?<!\\)\|/g)?.length ?? 0)}`;
}

function findTableFault(lines: readonly string[]): string | undefined {
  let width: number | undefined;
  for (const line of lines) {
    if (!line.startsWith('|')) {
      width = undefined;
      continue;
    }
    const bars = line.split('|').length;
    width ??= bars;
    if (bars !== width) return `a row of another width: ${line.slice(0, 200)}`;
  }
  return undefined;
}

function findTagFault(lines: readonly string[]): string | undefined {
  const tags = lines.join('\n').match(/<[^<]*/g) ?? [];
  const foreign = tags.find((tag) => !/^<(?:\/?details|\/?summary|br)>/.test(tag));
  if (foreign !== undefined) return `foreign tag: ${foreign.slice(0, 80)}`;
  const count = (tag: string): number => tags.filter((found) => found.startsWith(tag)).length;
  return count('<details>') === count('</details>') ? undefined : 'details are not closed';
}

function findSignFault(line: string): string[] {
  const isCell = line.startsWith('|');
  const own = line
    .replace(/^#{2,3} /, '')
    .replace(/\\[$~[\]]/g, '')
    .replaceAll('&lt;', '')
    .replace(/<\/?(?:details|summary|br)>/g, '')
    .replaceAll('**', '')
    // An interval in a table: no definition of a link can turn it into one.
    .replace(/ \[[−+\d.,?– ]+\]/g, '');
  const sign = /[@#$<>*_\\`~![\]{}&]|https?:|www\.|\]\(|:\w+:/.exec(isCell ? own.replaceAll('|', '') : own);
  return sign === null ? [] : [`${sign[0]} in ${line.slice(0, 200)}`];
}
