import { parse } from 'yaml';

export interface TapPoint {
  readonly ok: boolean;
  readonly id: number;
  readonly description: string;
  readonly directive?: 'TODO' | 'SKIP';
  readonly reason?: string;
  readonly diagnostics?: unknown;
}

/** Reads a TAP 14 document and throws at whatever its grammar does not allow a producer. */
export function parseTap(text: string): { readonly points: readonly TapPoint[]; readonly isGreen: boolean } {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (lines.shift() !== 'TAP version 14') throw new Error('no version line');
  const points: TapPoint[] = [];
  let plan: number | undefined;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const planned = /^1\.\.(\d+)(?: # \S.*)?$/.exec(line);
    if (planned !== null) {
      if (plan !== undefined) throw new Error('a second plan');
      plan = Number(planned[1]);
    } else if (line === '  ---') {
      const end = lines.indexOf('  ...', index);
      const last = points.pop();
      if (end < 0 || last === undefined) throw new Error(`a block without an end or a test point: ${index}`);
      points.push({ ...last, diagnostics: parse(lines.slice(index + 1, end).join('\n')) });
      index = end;
    } else if (!line.startsWith('#')) {
      if (plan !== undefined) throw new Error('a test point behind the plan');
      points.push(parsePoint(line));
    }
  }
  if (plan !== points.length) throw new Error(`planned ${plan ?? 'nothing'}, found ${points.length}`);
  if (points.some(({ id }, index) => id !== index + 1)) throw new Error('the numbers do not go up from 1');
  return { points, isGreen: points.every(({ ok, directive }) => ok || directive !== undefined) };
}

function parsePoint(line: string): TapPoint {
  const match = /^(not )?ok (\d+) - (.*)$/.exec(line);
  if (match === null) throw new Error(`not TAP: ${line.slice(0, 200)}`);
  const [, not, id = '', rest = ''] = match;
  // The first sign that no backslash escapes, where a backslash can be escaped itself.
  const sign = /^((?:[^\\#]|\\[\s\S])*?)#(.*)$/.exec(rest);
  const point = { ok: not === undefined, id: Number(id) };
  if (sign === null) return { ...point, description: unescape(rest) };
  const directive = /^ (TODO|SKIP) (\S.*)$/.exec(sign[2] ?? '');
  if (directive === null) throw new Error(`an unknown directive: ${line.slice(0, 200)}`);
  const [, word, reason = ''] = directive;
  return {
    ...point,
    description: unescape((sign[1] ?? '').trimEnd()),
    directive: word === 'TODO' ? 'TODO' : 'SKIP',
    reason: unescape(reason),
  };
}

function unescape(text: string): string {
  return text.replace(/\\([\\#])/g, '$1');
}
