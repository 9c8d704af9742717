/** What makes a document without CDATA and comments ill-formed; undefined where nothing does. */
export function findXmlFault(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- XML 1.0 forbids these (production 2, Char).
  const illegal = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text);
  if (illegal !== null) return `illegal character at ${illegal.index}`;
  const open: string[] = [];
  let roots = 0;
  let position = 0;
  const body = text.replace(/^<\?xml [^?]*\?>\n/, '');
  for (const match of body.matchAll(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g)) {
    const [tag, closing = '', name = '', attributes = '', empty = ''] = match;
    const between = body.slice(position, match.index);
    if (/[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(between + attributes))
      return `bare markup before ${match.index}`;
    if (open.length === 0 && between.trim() !== '') return `text outside the root before ${match.index}`;
    position = match.index + tag.length;
    if (closing !== '' && open.pop() !== name) return `</${name}> closes nothing at ${match.index}`;
    if (closing !== '') continue;
    if (open.length === 0) roots += 1;
    if (empty === '') open.push(name);
  }
  if (body.slice(position).trim() !== '') return `text after the root at ${position}`;
  if (open.length > 0) return `<${open.at(-1)}> is not closed`;
  return roots === 1 ? undefined : `${roots} roots`;
}
