import { compileJsonPath, type JsonPath } from '../../json/json-path.ts';
import { type ParsedJson, parseJson } from '../../json/parse-json.ts';
import type { SelectSpec } from '../../model/verdict.ts';
import { quote } from '../../text/shorten.ts';
import { runBounded, runRegex } from '../check-limit.ts';
import type { AssertionPorts, CompletionView, Target } from '../define.ts';
import { describeNotJson, describeToolCalls } from '../targets.ts';
import { findCodeBlock } from './find-code-block.ts';

export type Selection =
  | { readonly found: true; readonly target: Target }
  | { readonly found: false; readonly reason: string };

/** Picks the part of an answer that is checked. Throws a `DeadlineError` where looking for it takes too long. */
export function selectTarget(view: CompletionView, select: SelectSpec, ports: AssertionPorts): Selection {
  switch (select.kind) {
    case 'text':
      return foundText(view.text);
    case 'json': {
      const parsed = parseAnswer(view);
      return parsed.ok
        ? foundValue(parsed.value)
        : missing(`the answer is ${describeNotJson(view.text, parsed.reason)}`);
    }
    case 'jsonPath':
      return selectByPath(view, select, ports);
    case 'regex':
      return selectByRegex(view.text, select, ports);
    case 'codeBlock': {
      const block = findCodeBlock(view.text, select.language);
      const wanted =
        select.language === '' ? 'a fenced code block' : `a fenced code block of ${quote(select.language)}`;
      return block === undefined
        ? missing(`the answer has no ${wanted.slice(2)}: found ${quote(view.text)}`)
        : foundText(block);
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
  }
}

// Several checks look at one answer; it is parsed for the first.
const parsedAnswers = new WeakMap<CompletionView, ParsedJson>();

function parseAnswer(view: CompletionView): ParsedJson {
  const known = parsedAnswers.get(view);
  if (known !== undefined) return known;
  const parsed = parseJson(view.text);
  parsedAnswers.set(view, parsed);
  return parsed;
}

const paths = new Map<string, JsonPath>();
const regexes = new Map<string, RegExp>();
const maxCompiled = 1000;
/** Without regexes and nested queries, filters over a document of that length are quick. */
const maxCheapLength = 10_000;

function selectByPath(
  view: CompletionView,
  { path }: SelectSpec & { kind: 'jsonPath' },
  ports: AssertionPorts,
): Selection {
  const parsed = parseAnswer(view);
  if (!parsed.ok) return missing(`the answer is ${describeNotJson(view.text, parsed.reason)}`);
  const nodes = queryPath(path, parsed.value, view.text.length, ports);
  if (nodes.length === 0) return missing(`${path} selects nothing: found ${quote(view.text)}`);
  return foundValue(nodes.length === 1 ? nodes[0] : nodes);
}

/** The nodes of a path, under the deadline where the path and the document could be slow together. */
export function queryPath(path: string, root: unknown, textLength: number, ports: AssertionPorts): readonly unknown[] {
  const compiled = remember(paths, path, () => compileJsonPath(path));
  const cheap = compiled.singular || (!compiled.costly && textLength <= maxCheapLength);
  return runBounded(cheap, ports, () => compiled.query(root));
}

function selectByRegex(text: string, select: SelectSpec & { kind: 'regex' }, ports: AssertionPorts): Selection {
  const { pattern, group, match } = select;
  const flags = select.flags.replace('g', '');
  // The last match is found by going through all, so the regex is global and keeps its place.
  const regex = remember(
    regexes,
    `${match}${flags}/${pattern}`,
    () => new RegExp(pattern, match === 'last' ? `${flags}g` : flags),
  );
  const found = runRegex(regex, text.length, ports, () =>
    match === 'last' ? findLast(regex, text) : findFirst(regex, text),
  );
  const shown = `/${pattern}/${flags}`;
  if (found === null) return missing(`${shown} matches nothing in ${quote(text)}`);
  const selected = found[group];
  if (selected !== undefined) return foundText(selected);
  return missing(
    group < found.length
      ? `group ${group} of ${shown} took no part in the match ${quote(found[0])}`
      : `${shown} has no group ${group}: it has ${found.length - 1}`,
  );
}

function findFirst(regex: RegExp, text: string): RegExpExecArray | null {
  regex.lastIndex = 0;
  return regex.exec(text);
}

function findLast(regex: RegExp, text: string): RegExpExecArray | null {
  regex.lastIndex = 0;
  let last: RegExpExecArray | null = null;
  for (let found = regex.exec(text); found !== null; found = regex.exec(text)) {
    last = found;
    // An empty match would be found again for ever; in unicode mode the index may not split a pair.
    if (found[0] === '') regex.lastIndex += regex.unicode && (text.codePointAt(found.index) ?? 0) > 0xff_ff ? 2 : 1;
  }
  return last;
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= maxCompiled) known.clear();
  const made = make();
  known.set(key, made);
  return made;
}

function foundText(text: string): Selection {
  return { found: true, target: { kind: 'text', text } };
}

function foundValue(value: unknown): Selection {
  return { found: true, target: { kind: 'json', value } };
}

function missing(reason: string): Selection {
  return { found: false, reason };
}

export interface FoundTag {
  /** Trimmed; undefined where the tag is not there or is never closed. */
  readonly content?: string;
  readonly opened: boolean;
}

/**
 * The content of the first element of that name, elements of the same name inside it included.
 * Answers are no XML documents, so nothing else of the text has to be well-formed.
 */
export function findXmlTag(text: string, tag: string): FoundTag {
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
