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
  let open: { readonly mark: string; readonly indent: RegExp; readonly isWanted: boolean } | undefined;
  let content: string[] = [];
  for (const whole of text.split('\n')) {
    const line = whole.replace(/\r$/, '');
    const fence = readFence(line);
    if (open === undefined) {
      if (fence === undefined || (fence.mark.startsWith('`') && fence.info.includes('`'))) continue;
      // As in CommonMark, lines lose as much indentation as the opening fence has.
      const indent = new RegExp(`^[ \\t]{0,${fence.indent}}`);
      open = { mark: fence.mark, indent, isWanted: isOfLanguage(fence, wanted) };
      content = [];
    } else if (fence?.mark.startsWith(open.mark) === true && fence.info === '') {
      if (open.isWanted) return content.join('\n');
      open = undefined;
    } else if (open.isWanted) {
      content.push(line.replace(open.indent, ''));
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

function readFence(line: string): Fence | undefined {
  const [, indent = '', mark, info = ''] = /^([ \t]*)(`{3,}|~{3,})(.*)$/s.exec(line) ?? [];
  return mark === undefined ? undefined : { indent: indent.length, mark, info: info.trim() };
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
