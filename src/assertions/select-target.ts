import { compileJsonPath, type JsonPath } from '../json/json-path.ts';
import { type ParsedJson, parseJson } from '../json/parse-json.ts';
import type { SelectSpec } from '../model/run/verdict.ts';
import { quote } from '../text/shorten.ts';
import {
  type AssertionPorts,
  type CompletionView,
  runBounded,
  runRegex,
  type Selected,
  type Target,
} from './define.ts';
import { describeNotJson, describeToolCalls, selectSkill, textOf } from './targets.ts';
import { selectFile } from './workspace.ts';

/** Picks the part of an answer that is checked. Throws a `DeadlineError` if the search takes too long. */
export function selectTarget(view: CompletionView, select: SelectSpec, ports: AssertionPorts): Selected {
  switch (select.kind) {
    case 'text':
      return foundText(view.text);
    case 'trim':
      return foundText(view.text.trim());
    case 'replace':
      return foundText(replaceMatches(view.text, select, ports));
    case 'steps':
      return selectBySteps(view, select.steps, ports);
    case 'json': {
      const parsed = parseAnswer(view);
      return parsed.ok
        ? foundValue(parsed.value)
        : missing(`the answer is ${describeNotJson(foundText(view.text), parsed.reason)}`);
    }
    case 'jsonPath':
      return selectByPath(view, select, ports);
    case 'regex':
      return selectByRegex(view.text, select, ports);
    case 'codeBlock': {
      const block = findCodeBlock(view.text, select.language);
      if (block !== undefined) return foundText(block);
      const language = select.language === '' ? '' : ` of ${quote(select.language)}`;
      return missing(`the answer has no fenced code block${language}: found ${quote(view.text)}`);
    }
    case 'xmlTag': {
      const tag = findXmlTag(view.text, select.tag);
      if (tag.content !== undefined) return foundText(tag.content);
      const state = tag.opened ? 'opens but never closes' : 'is not in the answer';
      return missing(`<${select.tag}> ${state}: found ${quote(view.text)}`);
    }
    case 'toolCalls':
      return view.toolCalls.length === 0
        ? missing(`the answer makes no tool call: found ${quote(view.text)}`)
        : foundValue(describeToolCalls(view.toolCalls));
    case 'reasoning':
      return view.reasoning === undefined || view.reasoning === ''
        ? missing('the answer came without reasoning')
        : foundText(view.reasoning);
    case 'state':
      return view.state === undefined
        ? missing(
            "the case's tools keep no state: a module of tools that exports state() does, or an agent that reports its state",
          )
        : foundValue(view.state);
    case 'skill':
      return selectSkill(view);
    case 'file':
      return selectFile(view, select.path, ports);
    case 'module':
      return { missing: `${quote(select.name)} can't be run here`, isUnknown: true };
  }
}

/** Each step selects from the text that the one before it found; a value is its JSON. */
function selectBySteps(view: CompletionView, steps: readonly SelectSpec[], ports: AssertionPorts): Selected {
  let found: Selected = foundText(view.text);
  for (const [index, step] of steps.entries()) {
    found = selectTarget(index === 0 || 'missing' in found ? view : { ...view, text: textOf(found) }, step, ports);
    if ('missing' in found) return found;
  }
  return found;
}

function replaceMatches(text: string, select: SelectSpec & { kind: 'replace' }, ports: AssertionPorts): string {
  const flags = select.flags.replace('g', '');
  const regex = new RegExp(select.pattern, select.match === 'all' ? `${flags}g` : flags);
  return runRegex(regex, text.length, ports, () => text.replace(regex, select.with));
}

// Several checks read one answer; it is parsed once.
const parsedAnswers = new WeakMap<CompletionView, ParsedJson>();

function parseAnswer(view: CompletionView): ParsedJson {
  const known = parsedAnswers.get(view);
  if (known !== undefined) return known;
  const parsed = parseJson(view.text);
  parsedAnswers.set(view, parsed);
  return parsed;
}

const paths = new Map<string, JsonPath>();
const maxCompiled = 1000;
/** Without regexes and nested queries, filters over a document of that length are quick. */
const maxCheapLength = 10_000;

function selectByPath(
  view: CompletionView,
  { path }: SelectSpec & { kind: 'jsonPath' },
  ports: AssertionPorts,
): Selected {
  const parsed = parseAnswer(view);
  if (!parsed.ok) return missing(`the answer is ${describeNotJson(foundText(view.text), parsed.reason)}`);
  const nodes = queryPath(path, parsed.value, view.text.length, ports);
  if (nodes.length === 0) return missing(`${path} selects nothing: found ${quote(view.text)}`);
  return foundValue(nodes.length === 1 ? nodes[0] : nodes);
}

/** The nodes of a path. Runs under the deadline if path and document could be slow together. */
export function queryPath(path: string, root: unknown, textLength: number, ports: AssertionPorts): readonly unknown[] {
  const compiled = paths.get(path) ?? compileJsonPath(path);
  if (paths.size >= maxCompiled) paths.clear();
  paths.set(path, compiled);
  const cheap = compiled.steps !== undefined || (!compiled.costly && textLength <= maxCheapLength);
  return runBounded(cheap, ports, () => compiled.query(root));
}

function selectByRegex(text: string, select: SelectSpec & { kind: 'regex' }, ports: AssertionPorts): Selected {
  const { pattern, group, match } = select;
  const flags = select.flags.replace('g', '');
  const regex = new RegExp(pattern, match === 'last' ? `${flags}g` : flags);
  const found = runRegex(regex, text.length, ports, () =>
    match === 'last' ? [...text.matchAll(regex)].at(-1) : regex.exec(text),
  );
  const shown = `/${pattern}/${flags}`;
  if (found === null || found === undefined) return missing(`${shown} matches nothing in ${quote(text)}`);
  const selected = found[group];
  if (selected !== undefined) return foundText(selected);
  return missing(
    group < found.length
      ? `group ${group} of ${shown} took no part in the match ${quote(found[0])}`
      : `${shown} has no group ${group}: it has ${found.length - 1}`,
  );
}

function foundText(text: string): Target {
  return { kind: 'text', text };
}

function foundValue(value: unknown): Target {
  return { kind: 'json', value };
}

function missing(reason: string): Selected {
  return { missing: reason };
}

interface FoundTag {
  /** Trimmed; undefined if the tag is not there or is never closed. */
  readonly content?: string;
  readonly opened: boolean;
}

/**
 * The content of the first element of that name, elements of the same name inside it included.
 * Answers are no XML documents, so nothing else of the text has to be well-formed.
 */
function findXmlTag(text: string, tag: string): FoundTag {
  let depth = 0;
  let contentStart = 0;
  let at = 0;
  for (let start = text.indexOf('<'); start !== -1; start = text.indexOf('<', at)) {
    const closing = text[start + 1] === '/';
    const nameEnd = start + (closing ? 2 : 1) + tag.length;
    at = start + 1;
    if (!text.startsWith(tag, nameEnd - tag.length) || (closing && depth === 0)) continue;
    // The name must end right there: `<answers>` is no `<answer>`.
    if (!/^[\s/>]/.test(text.slice(nameEnd, nameEnd + 1))) continue;
    const end = text.indexOf('>', nameEnd);
    if (end === -1) break;
    at = end + 1;
    if (closing) {
      depth -= 1;
      if (depth === 0) return { content: text.slice(contentStart, start).trim(), opened: true };
    } else if (text[end - 1] === '/') {
      if (depth === 0) return { content: '', opened: true };
    } else {
      if (depth === 0) contentStart = at;
      depth += 1;
    }
  }
  return { opened: depth > 0 };
}

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
 * The content of the first fenced code block of a language, or of any language if it is empty. A block that is never
 * closed runs to the end, or to the end of its quotation, as in CommonMark. Otherwise than there, a fence may have any
 * indent, because models indent fences in lists, and may follow a tag.
 */
export function findCodeBlock(text: string, language: string): string | undefined {
  const wanted = normalise(language);
  let open: (Fence & { readonly quotes: number; readonly isWanted: boolean }) | undefined;
  let content: string[] = [];
  for (const whole of text.split('\n')) {
    const line = whole.replace(/\r$/, '');
    const inside = open === undefined ? undefined : removeQuotes(line, open.quotes);
    if (open !== undefined && inside === undefined) {
      if (open.isWanted) return content.join('\n');
      open = undefined;
    }
    if (open === undefined || inside === undefined) {
      const [prefix = ''] = containers.exec(line) ?? [];
      // Without the marks of its quotations and items, and as far indented as the text after them.
      const start = prefix.lastIndexOf('>') + 1;
      const fence = readFence(`${' '.repeat(prefix.length - start)}${line.slice(prefix.length)}`);
      if (fence === undefined || (fence.mark.startsWith('`') && fence.info.includes('`'))) continue;
      open = { ...fence, quotes: prefix.split('>').length - 1, isWanted: isOfLanguage(fence, wanted) };
      content = [];
      continue;
    }
    const fence = readFence(inside);
    if (fence?.mark.startsWith(open.mark) === true && fence.info === '') {
      if (open.isWanted) return content.join('\n');
      open = undefined;
    } else if (open.isWanted) {
      // Lines lose as much indentation as the opening fence has, as in CommonMark.
      content.push(inside.slice(Math.min(open.indent, endOfRun(inside, 0, ' \t'))));
    }
  }
  return open?.isWanted === true ? content.join('\n') : undefined;
}

/** The marks of the quotations and items that begin on a line. */
const containers = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){0,12}/;

/** A line of quotations without their marks; undefined if it lacks one. */
function removeQuotes(line: string, quotes: number): string | undefined {
  let at = 0;
  for (let removed = 0; removed < quotes; removed += 1) {
    const mark = endOfRun(line, at, ' \t');
    if (line[mark] !== '>') return undefined;
    at = mark + 1;
  }
  return quotes > 0 && line[at] === ' ' ? line.slice(at + 1) : line.slice(at);
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
  // An info string has the language and additions of tools: "python title=x", "{.python}", "python,ignore".
  const [first = ''] = info.replace(/^\{\.?/, '').split(/[\s,{}:]/, 1);
  return wanted === '' || normalise(first) === wanted;
}

function normalise(language: string): string {
  const name = language.trim().toLowerCase();
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}
