import { createLineIndex } from '../line-index.ts';
import { hole, markPattern, type SplitScript, splitJavaScript, splitPython } from './split-script.ts';

/** What the text of a script says that it imports. */
export interface ScriptImports {
  /** As written: `./a.mjs`, `#a`, `a.b` of Python, `.a` of Python. */
  readonly imports: readonly string[];
  readonly computed: readonly ComputedImport[];
  /** Texts that are the names of scripts, such as those that it starts, and names of files that it reads. */
  readonly scripts: readonly string[];
  /** Folders that a Python script adds to those where modules are looked for, from its own folder. */
  readonly searched?: readonly string[];
}

/** An import whose name is only known while the script runs, as far as its text tells. */
export interface ComputedImport {
  /** From 1. */
  readonly line: number;
  /** The call as it is written, shortened. */
  readonly shown: string;
  /** Paths that the call may mean, where it only joins texts: `new URL('./a.mjs', import.meta.url)`. */
  readonly candidates: readonly string[];
  /** The path with a `hole` for each part that is not known; undefined where no part is known. */
  readonly pattern?: string;
}

/** Finds the imports of a JavaScript or TypeScript text, and files that it names to read them by `./`. */
export function readJavaScript(text: string): ScriptImports {
  const script = splitJavaScript(text);
  const { code } = script;
  const texts = resolveConstants(script);
  const lines = createLineIndex(code);
  const made = [...code.matchAll(/\b([\w$]+)\s*=\s*createRequire\(/g)].map(([, name = '']) => name);
  const calls = [...new Set(['require', ...made])].map((name) => name.replaceAll('$', String.raw`\$`)).join('|');
  const literal = new RegExp(String.raw`(?:\bfrom|\bimport|\b(?:${calls})(?:\.resolve)?)\s*\(?\s*${markPattern}`, 'g');
  const imports = [...code.matchAll(literal)].map(([, index = '']) => script.texts[Number(index)] ?? '');
  const call = new RegExp(String.raw`(?<![\w$.#])(import|${calls}|new\s+Worker)\s*\((?=([^]{0,200}))`, 'g');
  const computed = [...code.matchAll(call)].flatMap(
    ({ 1: name = '', 2: rest = '', index }): readonly ComputedImport[] => {
      const found = readArgument(texts, rest);
      if (found === undefined) return [];
      const candidates = joinKnown(texts, found);
      const wholeText = candidates !== undefined && new RegExp(`^\\s*${markPattern}\\s*$`).test(found);
      if (wholeText && !name.startsWith('new')) {
        imports.push(...candidates);
        return [];
      }
      return [
        describeComputed(`${name}(`, found, {
          line: lines.positionAt(index).line,
          texts,
          candidates: candidates ?? [],
        }),
      ];
    },
  );
  const plain = findImports(text);
  return {
    imports: [...new Set([...imports.filter((one) => !one.includes(hole)), ...plain])],
    computed,
    scripts: [...scriptsIn(script.texts), ...filesRead(texts, javaScriptReads)],
  };
}

const javaScriptReads = /\b(?:readFile|readFileSync|createReadStream|openAsBlob)\s*\((?=([^]{0,200}))/g;

/** The files that calls name by texts, joined or alone. A name that is computed otherwise is not known. */
function filesRead(script: Texts, call: RegExp): readonly string[] {
  return [...script.code.matchAll(call)].flatMap(({ 1: rest = '' }) => {
    const argument = readArgument(script, rest) ?? '';
    const textsIn = (code: string) =>
      [...code.matchAll(new RegExp(markPattern, 'g'))].map(([, index = '']) => script.texts[Number(index)] ?? '');
    // What Python opens to be written is no input.
    if (textsIn(/^[^,)]*,([^)]*)/.exec(rest)?.[1] ?? '').some((mode) => /^[rbt+]*[wax][rbt+]*$/.test(mode))) return [];
    const parts = textsIn(argument);
    return [parts.join('/'), ...parts].filter((path) => path !== '' && !path.includes(hole));
  });
}

/**
 * The imports of a JavaScript or TypeScript text, and files that it names to read them. Also includes names in
 * comments, because extra ones do no harm.
 */
function findImports(text: string): readonly string[] {
  const imports = text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])([^"'\n]{1,500})\1/g);
  const files = text.matchAll(/(["'`])(\.{1,2}\/[^"'`$\n]{1,500})\1/g);
  return [...imports, ...files].map(([, , specifier = '']) => specifier);
}

interface Texts extends SplitScript {
  /** The marks of constants that are texts. */
  readonly constants: ReadonlyMap<string, string>;
}

function resolveConstants(script: SplitScript): Texts {
  const pattern = new RegExp(String.raw`\bconst\s+([\w$]+)\s*(?::\s*[\w$]+\s*)?=\s*(${markPattern})\s*[;\n]`, 'g');
  return {
    ...script,
    constants: new Map([...script.code.matchAll(pattern)].map(([, name = '', mark = '']) => [name, mark])),
  };
}

/** The first argument of a call, with constants in place; undefined for what only looks like a call. */
function readArgument({ constants }: Texts, rest: string): string | undefined {
  let depth = 0;
  let end = 0;
  for (; end < rest.length; end += 1) {
    const sign = rest[end] ?? '';
    if ('([{'.includes(sign)) depth += 1;
    if (')]}'.includes(sign)) depth -= 1;
    if (depth < 0 || (depth === 0 && sign === ',')) break;
  }
  const argument = rest.slice(0, end);
  const after = rest.slice(rest.indexOf(')', end) + 1);
  // A method or a function of the name, and the signature of one.
  const isDeclared = /^\s*(?::[^={]+)?\{/.test(after) || /^\s*[\w$]+\??\s*:\s/.test(argument);
  if (isDeclared || argument.trim() === '') return undefined;
  return argument.replaceAll(/(?<![.\w$])[A-Za-z_$][\w$]*/g, (name) => constants.get(name) ?? name);
}

const joining =
  /^(?:new|URL|import|meta|url|href|dirname|filename|__dirname|__filename|path|join|resolve|pathToFileURL|fileURLToPath|String|toString)$/;

/** The paths that an argument may mean if it only joins texts; undefined if it has other names in it. */
function joinKnown({ texts }: Texts, argument: string): readonly string[] | undefined {
  const parts = [...argument.matchAll(new RegExp(markPattern, 'g'))].map(
    ([, index = '']) => texts[Number(index)] ?? '',
  );
  const names = argument.match(/[A-Za-z_$][\w$]*/g) ?? [];
  if (parts.length === 0 || parts.some((part) => part.includes(hole)) || !names.every((name) => joining.test(name))) {
    return undefined;
  }
  // The first text of a path is below the folder of the script, however it is joined.
  return [...new Set([parts.join('/'), parts.join('')])].map((path) => (names.length === 0 ? path : fromHere(path)));
}

function fromHere(path: string): string {
  return /^(?:\.{1,2}\/|file:)/.test(path) ? path : `./${path.replace(/^\/+/, '')}`;
}

function describeComputed(
  start: string,
  argument: string,
  {
    line,
    texts: { texts },
    candidates,
  }: { readonly line: number; readonly texts: Texts; readonly candidates: readonly string[] },
): ComputedImport {
  const written = argument
    .replaceAll(new RegExp(markPattern, 'g'), (_, mark: string) => {
      const text = texts[Number(mark)] ?? '';
      return text.includes(hole) ? `\`${text.replaceAll(hole, '${…}')}\`` : `'${text}'`;
    })
    .replaceAll(/\s+/g, ' ')
    .trim();
  const shown = `${start.replaceAll(/\s+/g, ' ')}${written.length > 60 ? `${written.slice(0, 60)}…` : written})`;
  const [, first = '', more = ''] = new RegExp(String.raw`^\s*${markPattern}\s*(\+)?`).exec(argument) ?? [];
  const text = first === '' ? '' : `${texts[Number(first)] ?? ''}${more === '' ? '' : hole}`;
  return { line, shown, candidates, ...(text.startsWith('.') ? { pattern: text } : {}) };
}

/** Finds the imports of a Python text. */
export function readPython(text: string): ScriptImports {
  const script = splitPython(text);
  const { code, texts } = script;
  const imports: string[] = [];
  const statement =
    /(?:^|[;:])[ \t]*(?:from[ \t]+(\.*[ \t]*[\w.]*)[ \t]+import[ \t]*(\([^)]{0,5000}\)|[^\n;]+)|import[ \t]+([^\n;]+))/gm;
  for (const [, from, names = '', modules = ''] of code.matchAll(statement)) {
    const words = listNames(from === undefined ? modules : names.replaceAll(/[()]/g, ''));
    const parent = from?.replaceAll(/\s/g, '');
    if (parent === undefined) imports.push(...words);
    else imports.push(parent, ...words.map((name) => `${parent}${parent.endsWith('.') ? '' : '.'}${name}`));
  }
  const computed: ComputedImport[] = [];
  const lines = createLineIndex(code);
  const call =
    /\b(import_module|__import__|run_path|run_module|spec_from_file_location|SourceFileLoader|load_source)\s*\((?=([^]{0,200}))/g;
  for (const { 1: name = '', 2: rest = '', index } of code.matchAll(call)) {
    const takesPath = /path|location|Loader|source/.test(name);
    const found = readPythonCall(rest, texts, takesPath && name !== 'run_path' ? 1 : 0);
    if (found === undefined) continue;
    if (found.text !== undefined && !found.text.includes(hole))
      imports.push(takesPath ? fromHere(found.text) : found.text);
    else computed.push(describePython(name, found, lines.positionAt(index).line, takesPath));
  }
  const searched: string[] = [];
  for (const { 1: rest = '', index } of code.matchAll(/\bsys\.path\s*(?:\.\w+\s*\(|\+?=)([^\n]{1,500})/g)) {
    const parts = [...rest.matchAll(new RegExp(markPattern, 'g'))].map(([, mark = '']) => texts[Number(mark)] ?? '');
    if (parts.length > 0 && !parts.some((part) => part.includes(hole))) searched.push(parts.join('/'), ...parts);
    // The folder of the script and those above it are searched anyway.
    else if (!rest.includes('__file__')) {
      computed.push({ line: lines.positionAt(index).line, shown: 'sys.path', candidates: [] });
    }
  }
  const known = { ...script, constants: new Map<string, string>() };
  const scripts = [...scriptsIn(texts), ...filesRead(known, pythonReads)];
  return { imports: [...new Set(imports)], computed, scripts, searched };
}

const pythonReads =
  /\b(?:open|Path|read_csv|read_json|read_text|read_excel|read_parquet|loadtxt)\s*\((?=([^]{0,200}))/g;

function scriptsIn(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => /^[\w@./ -]{1,200}\.(?:[cm]?[jt]sx?|py|rb|sh)$/.test(text));
}

function listNames(list: string): readonly string[] {
  return list.split(',').flatMap((part) => /^\s*([\w.]+)/.exec(part)?.[1] ?? []);
}

interface PythonCall {
  readonly written: string;
  /** Set where the argument is one text. */
  readonly text?: string;
}

function readPythonCall(rest: string, texts: readonly string[], position: number): PythonCall | undefined {
  const args: string[] = [''];
  let depth = 0;
  for (const sign of rest) {
    if ('([{'.includes(sign)) depth += 1;
    if (')]}'.includes(sign)) depth -= 1;
    if (depth < 0) break;
    if (depth === 0 && sign === ',') args.push('');
    else args[args.length - 1] = `${args.at(-1) ?? ''}${sign}`;
  }
  const written = args[position]?.trim() ?? '';
  if (written === '' || /^\w+\s*:/.test(written)) return undefined;
  const [, index] = new RegExp(`^${markPattern}$`).exec(written) ?? [];
  return { written, ...(index === undefined ? {} : { text: texts[Number(index)] ?? '' }) };
}

function describePython(name: string, { written, text }: PythonCall, line: number, isPath: boolean): ComputedImport {
  const shown =
    text === undefined ? written.replaceAll(/[\uE000-\uE001]\d*/g, "'…'") : `f'${text.replaceAll(hole, '{…}')}'`;
  const path = isPath ? text : text?.replaceAll('.', '/');
  const pattern =
    path === undefined || /^\W*$/.test(path.replaceAll(hole, '')) ? undefined : `./${path.replace(/^[./]+/, '')}`;
  return {
    line,
    shown: `${name}(${shown.replaceAll(/\s+/g, ' ').slice(0, 60)})`,
    candidates: [],
    ...(pattern === undefined ? {} : { pattern: isPath ? pattern : `${pattern}.py` }),
  };
}

/** Finds the files that a Ruby text requires. */
export function readRuby(text: string): ScriptImports {
  const imports: string[] = [];
  const computed: ComputedImport[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const code = line.replace(/(?:^|\s)#.*$/, '');
    const literal = /\b(require_relative|require|load|autoload)\b[ (]*(?::\w+\s*,\s*)?(["'])([^"'#]+)\2/g;
    const written = [...code.matchAll(literal)];
    for (const [, name, , path = ''] of written) imports.push(name === 'require_relative' ? fromHere(path) : path);
    const [, name = '', rest = ''] = /^\s*(require_relative|require|load|autoload)\b[ (]*(.+)/.exec(code) ?? [];
    if (name !== '' && written.length === 0)
      computed.push({ line: index + 1, shown: `${name} ${rest.trim().slice(0, 60)}`, candidates: [] });
  }
  const texts = [...text.matchAll(/"([^"\n]{1,200})"|'([^'\n]{1,200})'/g)].map(([, one, other]) => one ?? other ?? '');
  return { imports: [...new Set(imports)], computed, scripts: scriptsIn(texts) };
}
