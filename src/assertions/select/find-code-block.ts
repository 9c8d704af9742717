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
  let open: Fence | undefined;
  let content: string[] = [];
  for (const whole of text.split('\n')) {
    const line = whole.replace(/\r$/, '');
    const fence = readFence(line);
    if (open === undefined) {
      if (fence !== undefined && !(fence.mark.startsWith('`') && fence.info.includes('`'))) {
        open = fence;
        content = [];
      }
    } else if (fence?.mark.startsWith(open.mark) === true && fence.info === '') {
      if (isOfLanguage(open, wanted)) return content.join('\n');
      open = undefined;
    } else {
      // As in CommonMark, lines lose as much indentation as the opening fence has.
      content.push(line.replace(new RegExp(`^[ \\t]{0,${open.indent}}`), ''));
    }
  }
  return open !== undefined && isOfLanguage(open, wanted) ? content.join('\n') : undefined;
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
