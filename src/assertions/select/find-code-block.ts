/** Names that stand for the same language in a fence. */
const aliases: Readonly<Record<string, string>> = {
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'typescript',
  py: 'python',
  python3: 'python',
  sh: 'bash',
  shell: 'bash',
  yml: 'yaml',
  md: 'markdown',
  rb: 'ruby',
  rs: 'rust',
  cs: 'csharp',
  'c#': 'csharp',
  'c++': 'cpp',
};

/**
 * The content of the first fenced code block of a language, or of any where the language is empty.
 * A block that is never closed runs to the end, as in CommonMark; a fence may be indented by any depth, as models do in lists.
 */
export function findCodeBlock(text: string, language: string): string | undefined {
  const wanted = normalise(language);
  let open: Fence | undefined;
  let content: string[] = [];
  for (const line of linesOf(text)) {
    const fence = readFence(line);
    if (open === undefined) {
      if (fence !== undefined && !(fence.mark === '`' && fence.info.includes('`'))) {
        open = fence;
        content = [];
      }
      continue;
    }
    if (fence !== undefined && fence.mark === open.mark && fence.length >= open.length && fence.info === '') {
      if (matches(open, wanted)) return content.join('\n');
      open = undefined;
      continue;
    }
    if (matches(open, wanted)) content.push(outdent(line, open.indent));
  }
  return open !== undefined && matches(open, wanted) ? content.join('\n') : undefined;
}

interface Fence {
  readonly indent: number;
  readonly mark: string;
  readonly length: number;
  readonly info: string;
}

function readFence(line: string): Fence | undefined {
  let indent = 0;
  while (line[indent] === ' ' || line[indent] === '\t') indent += 1;
  const mark = line[indent];
  if (mark !== '`' && mark !== '~') return undefined;
  let end = indent;
  while (line[end] === mark) end += 1;
  return end - indent < 3 ? undefined : { indent, mark, length: end - indent, info: line.slice(end).trim() };
}

function matches(fence: Fence, wanted: string): boolean {
  if (wanted === '') return true;
  // An info string is the language and what a tool adds to it: "python title=x", "{.python}", "python,ignore".
  const [first = ''] = fence.info.replace(/^\{\.?/, '').split(/[\s,{}:]/, 1);
  return normalise(first) === wanted;
}

function normalise(language: string): string {
  const name = language.trim().toLowerCase();
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}

function outdent(line: string, indent: number): string {
  let start = 0;
  while (start < indent && (line[start] === ' ' || line[start] === '\t')) start += 1;
  return line.slice(start);
}

function* linesOf(text: string): Generator<string> {
  let start = 0;
  while (start <= text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    yield text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end);
    start = end + 1;
  }
}
