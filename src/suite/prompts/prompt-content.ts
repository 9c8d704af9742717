import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { SourceLocation } from '../../model/problem.ts';
import { type Role, toRole } from '../../model/run/completion.ts';
import type { CodeSource } from '../../model/suite/own-code.ts';
import type { PromptWhole } from '../../model/suite/prompt-file.ts';
import type { PromptMessage, PromptVersion, Template } from '../../model/suite/suite.ts';
import { compileTemplate } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';
import { attempt } from '../../text/attempt.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { createReadCode } from '../assertions/own-code.ts';
import { describeTemplateError } from '../assertions/value-template.ts';
import type { ParsedContract } from '../contracts/parse-contract.ts';
import {
  childOf,
  itemsOf,
  type Located,
  locate,
  type Problems,
  textSource,
  withoutExcerpt,
} from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import type { promptSchema } from '../schema/prompt-schema.ts';
import { type FoundPrompt, type ParsePrompt, readPromptFile } from './prompt-file.ts';

export interface PromptContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly parsePrompt: ParsePrompt;
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
  /** The suite's, and behind it the config's. */
  readonly suiteContract: ParsedContract;
}

export interface PlacedTemplate {
  readonly template: Template;
  readonly at: (line: number, column: number) => SourceLocation;
}

export interface PromptContent extends Pick<PromptVersion, 'expand' | 'locateLine'> {
  /** Set if code makes the messages, which are unknown until it is called. */
  readonly code?: PromptCode;
  /** Undefined if a template can't be read, which is reported. */
  readonly messages: readonly PromptMessage[] | undefined;
  readonly templates: readonly PlacedTemplate[];
  readonly found?: FoundPrompt;
}

/** Reads the content of a prompt. Returns undefined, and reports it, if one of its files can't be read. */
export async function readContent(
  item: Located,
  prompt: z.output<typeof promptSchema>,
  context: PromptContext,
): Promise<PromptContent | undefined> {
  if (prompt.module !== undefined || prompt.exec !== undefined) return readPromptCode(item, prompt, context);
  const read = await readTexts(item, prompt, context);
  if (read === undefined) return undefined;
  const { texts, found } = read;
  const whole = found?.content.whole;
  if (found !== undefined && whole !== undefined) {
    const template = { template: templateOf(whole), at: placeIn(found, whole.locate) };
    return {
      messages: whole.messages,
      expand: whole.expand,
      templates: [template],
      locateLine: createLocateLine([{ text: whole.source, at: template.at }], item),
      found,
    };
  }
  reportEmpty(prompt.id, texts, context.problems);
  const compiled = texts.flatMap((text) => compileMessage(text, context.problems) ?? []);
  return {
    messages: compiled.length < texts.length ? undefined : compiled.map(({ message }) => message),
    templates: compiled.flatMap(({ templates }) => templates),
    locateLine: createLocateLine(texts, item),
    ...defined({ found }),
  };
}

/** Keeps the place of each text but not the files, because a suite's file may contain all its cases. */
function createLocateLine(texts: readonly PlacedText[], item: Located): NonNullable<PromptVersion['locateLine']> {
  const starts = texts.map(({ text, at }) => {
    const count = text.trimEnd().split('\n').length;
    const first = withoutExcerpt(at(1, 1));
    // A quoted or folded text has other lines in its file, so only its first line is named.
    return { first, isLineByLine: at(count, 1).line === first.line + count - 1 };
  });
  const fallback = withoutExcerpt(locate(item));
  return (message, line) => {
    const start = starts[message] ?? starts[0];
    if (start === undefined) return fallback;
    return start.isLineByLine ? { ...start.first, line: start.first.line + line - 1 } : start.first;
  };
}

/** All messages of a prompt as one template, to check that they can be rendered. */
function templateOf({ source, variables, expand }: PromptWhole): Template {
  const render: Template['render'] = (vars) =>
    expand(vars)
      .map(({ content }) => content)
      .join('\n');
  return { source, variables, render };
}

/** Reports a prompt with neither text nor file to send, which was probably never written. */
function reportEmpty(id: string, texts: readonly MessageText[], problems: Problems): void {
  const [first] = texts;
  if (first === undefined || texts.some(({ text, attach }) => text.trim() !== '' || attach.length > 0)) return;
  problems.report({
    code: 'invalid-value',
    message: `the prompt "${id}" is empty`,
    hint: 'write the text to send to the model',
    at: first.at(1, 1),
  });
}

function compileMessage({ role, text, at, attach, compiled }: MessageText, problems: Problems) {
  const template = compiled ?? compileText({ text, at }, problems);
  const files = attach.flatMap((path) => {
    const file = compileText(path, problems);
    return file === undefined ? [] : [{ template: file, at: path.at }];
  });
  if (template === undefined || files.length < attach.length) return undefined;
  const paths = files.length === 0 ? undefined : files.map((file) => file.template);
  const message: PromptMessage = { role, template, ...defined({ attach: paths }) };
  return { message, templates: [{ template, at }, ...files] };
}

function compileText({ text, at }: PlacedText, problems: Problems): Template | undefined {
  const compiled = attempt(() => compileTemplate(text), TemplateError);
  if (!(compiled instanceof TemplateError)) return compiled;
  for (const one of [compiled, ...compiled.also]) {
    problems.report(describeTemplateError(one, at(one.line ?? 1, one.column ?? 1)));
  }
  // The variables of the part that could be read are still checked.
  return compiled.rest;
}

interface PlacedText {
  readonly text: string;
  readonly at: PlacedTemplate['at'];
}

interface MessageText extends PlacedText {
  readonly role: Role;
  readonly attach: readonly PlacedText[];
  /** Set if the file's own language is not Liquid. */
  readonly compiled?: Template;
}

interface PromptTexts {
  readonly texts: readonly MessageText[];
  readonly found?: FoundPrompt;
}

async function readTexts(
  item: Located,
  { text, file }: z.output<typeof promptSchema>,
  context: PromptContext,
): Promise<PromptTexts | undefined> {
  if (text !== undefined) {
    warnOfFileName(text, childOf(item, 'text'), context);
    return { texts: [placeMessage('user', text, childOf(item, 'text'))] };
  }
  if (file !== undefined) return readFileTexts({ ...childOf(item, 'file'), value: file }, context);
  const texts: MessageText[] = [];
  const messages = itemsOf(childOf(item, 'messages'));
  for (const message of messages) {
    const role = toRole(childOf(message, 'role').value);
    const content = childOf(message, 'content');
    const named = childOf(message, 'file');
    const attach = itemsOf(childOf(message, 'attach')).map((path) => placeText(String(path.value), path));
    if (typeof content.value === 'string') texts.push({ ...placeMessage(role, content.value, content), attach });
    else if (typeof named.value === 'string') {
      const read = await readText(resolve(named.source.folder, named.value), named, context);
      if (read !== undefined) texts.push({ role, ...read, attach });
    }
  }
  return texts.length < messages.length ? undefined : { texts };
}

/** Warns of `text:` in place of `file:`, which sends the model the name of the file. */
function warnOfFileName(text: string, at: Located, { files, problems }: PromptContext): void {
  const name = text.trim();
  if (!/^[\w./-]+\.\w+$/.test(name) || files.hash(resolve(at.source.folder, name)) === undefined) return;
  const message = `the prompt is the name of the file ${name}, and not what the file holds`;
  problems.warn({ code: 'invalid-value', message, hint: `write file: ${name}`, at: locate(at) });
}

function placeMessage(role: Role, text: string, located: Located): MessageText {
  return { role, ...placeText(text, located), attach: [] };
}

function placeText(text: string, located: Located): PlacedText {
  return { text, at: (line, column) => located.source.within(located.path, line, column) };
}

async function readFileTexts(namedBy: Located<string>, context: PromptContext): Promise<PromptTexts | undefined> {
  const { folder } = namedBy.source;
  const found = await readPromptFile(resolve(folder, namedBy.value), context, namedBy);
  if (found === undefined) return undefined;
  const texts: MessageText[] = [];
  for (const { role, content, locate: locateIn } of found.content.messages) {
    const at = placeIn(found, locateIn);
    if ('template' in content)
      texts.push({ role, text: content.template.source, compiled: content.template, at, attach: [] });
    else if ('source' in content) texts.push({ role, text: content.source, at, attach: [] });
    else {
      const text = await readText(
        resolve(found.source.folder, content.file),
        { value: content.file, source: { ...found.source, at: () => at(1, 1) }, path: [] },
        context,
      );
      if (text === undefined) return undefined;
      texts.push({ role, ...text, attach: [] });
    }
  }
  return { texts, found };
}

function placeIn(
  { source }: FoundPrompt,
  locateIn: (line: number, column: number) => { readonly line: number; readonly column: number },
): PlacedTemplate['at'] {
  return (line, column) => {
    const position = locateIn(line, column);
    return source.within([], position.line, position.column);
  };
}

/** A file that is one message. */
async function readText(
  path: string,
  namedBy: Located,
  { files, problems }: PromptContext,
): Promise<PlacedText | undefined> {
  const found = await files.read(path);
  if ('fault' in found) {
    reportFault(found.fault, problems, namedBy);
    return undefined;
  }
  const source = textSource({ file: files.display(path), folder: dirname(path) }, found.text);
  return {
    text: found.text.replaceAll('\r\n', '\n').replace(/\n$/, ''),
    at: (line, column) => source.within([], line, column),
  };
}

/** Code that makes the messages of a prompt: a function of a module, or a program. */
export interface PromptCode {
  /** The place in the suite that names it. */
  readonly place: Located;
  readonly source: CodeSource;
  /** The words of a command. */
  readonly argv: readonly string[];
  /** Undefined for a program. */
  readonly exportName?: string;
  /** The input contract of the prompt. */
  readonly input?: JsonObject | boolean;
}

/** Finds the code of a prompt, and notes its imports as sources. */
function readPromptCode(
  item: Located,
  prompt: z.output<typeof promptSchema>,
  { files, problems }: { readonly files: ProjectFiles; readonly problems: Problems },
): { readonly messages: []; readonly templates: readonly PlacedTemplate[]; readonly code: PromptCode } | undefined {
  const kind = prompt.module === undefined ? 'command' : 'module';
  const place = childOf(item, kind === 'module' ? 'module' : 'exec');
  const inputs = prompt.inputs === undefined ? undefined : childOf(item, 'inputs');
  const source = createReadCode({ files, problems })(kind, { value: place, ...defined({ inputs }) });
  if (source === undefined) return undefined;
  const { value } = place;
  const argv = Array.isArray(value) ? value.map(String) : splitCommand(String(value));
  if (argv === undefined) {
    return problems.refuse(place, 'a quote in the command stays open');
  }
  const exportName = prompt.module === undefined ? undefined : (prompt.export ?? 'default');
  // Code has no template. This empty one carries the place that problems with the variables name.
  const template: Template = { source: '', variables: [], render: () => '' };
  return {
    messages: [],
    templates: [{ template, at: () => locate(place) }],
    code: { place, source, argv, ...defined({ exportName }) },
  };
}
