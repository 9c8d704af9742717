/** Other names of a language in the info string of a fence. */
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
  let open: (Pick<Fence, 'mark' | 'indent'> & { readonly isWanted: boolean }) | undefined;
  let content: string[] = [];
  for (const whole of text.split('\n')) {
    const line = whole.replace(/\r$/, '');
    const fence = readFence(line);
    if (open === undefined) {
      if (fence === undefined || (fence.mark.startsWith('`') && fence.info.includes('`'))) continue;
      open = { ...fence, isWanted: isOfLanguage(fence, wanted) };
      content = [];
    } else if (fence?.mark.startsWith(open.mark) === true && fence.info === '') {
      if (open.isWanted) return content.join('\n');
      open = undefined;
    } else if (open.isWanted) {
      // As in CommonMark, lines lose as much indentation as the opening fence has.
      content.push(line.slice(Math.min(open.indent, endOfRun(line, 0, ' \t'))));
    }
  }
  return open?.isWanted === true ? content.join('\n') : undefined;
}

interface Fence {
  readonly indent: number;
  /** Three or more backquotes or tildes. A closing fence has at least as many as the opening one. */
  readonly mark: string;
  readonly info: string;
}

/** Without a pattern: on a line of megabytes, a repeated group exceeds the stack of the regex engine. */
function readFence(line: string): Fence | undefined {
  const indent = endOfRun(line, 0, ' \t');
  const character = line[indent];
  if (character !== '`' && character !== '~') return undefined;
  const end = endOfRun(line, indent, character);
  return end - indent < 3 ? undefined : { indent, mark: line.slice(indent, end), info: line.slice(end).trim() };
}

/** The index after the characters of one kind that follow from a place on. */
function endOfRun(line: string, from: number, characters: string): number {
  let end = from;
  while (end < line.length && characters.includes(line[end] ?? '')) end += 1;
  return end;
}

function isOfLanguage({ info }: Fence, wanted: string): boolean {
  // An info string is the language and what a tool adds to it: "python title=x", "{.python}", "python,ignore".
  const [first = ''] = info.replace(/^\{\.?/, '').split(/[\s,{}:]/, 1);
  return wanted === '' || normalise(first) === wanted;
}

function normalise(language: string): string {
  const name = language.trim().toLowerCase();
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}
