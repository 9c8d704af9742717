import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { Role } from '../model/run/completion.ts';
import type { TemplateLanguage, WrittenMessage } from '../model/suite/recorded-settings.ts';
import type { PromptMessage, PromptVersion, RenderedMessage, Template, Vars } from '../model/suite/suite.ts';
import { parseHandlebars } from '../templates/handlebars.ts';
import { parseJinja } from '../templates/jinja-template.ts';
import { bracesLanguage, handlebarsLanguage, jinjaLanguage, parseBraces } from '../templates/languages.ts';
import { renderTree } from '../templates/render-tree.ts';
import { expandTable } from '../templates/rendered-table.ts';
import { surveyTree, type TreeSurvey } from '../templates/survey-tree.ts';
import { compileTemplate } from '../templates/template.ts';
import { positionIn, TemplateError } from '../templates/template-error.ts';
import type { MarkNode, Piece, TemplateTree, TreeLanguage } from '../templates/template-tree.ts';
import { rootOf } from '../templates/template-values.ts';

/** A template that makes all messages of a prompt. */
export interface WholeTemplate {
  /** Messages as written. Each text starts at its own mark, and all texts add up to the source. */
  readonly messages: readonly PromptMessage[];
  /** Paths that the template reads. */
  readonly variables: readonly string[];
  readonly expand: (vars: Vars) => readonly RenderedMessage[];
}

interface LanguageParts {
  readonly language: TreeLanguage;
  readonly parse: (source: string) => TemplateTree;
  readonly firstRole: Role;
  readonly trim: (text: string) => string;
}

const wholes: Readonly<Record<'handlebars' | 'jinja', LanguageParts>> = {
  handlebars: { language: handlebarsLanguage, parse: parseHandlebars, firstRole: 'user', trim: (text) => text },
  jinja: {
    language: jinjaLanguage,
    parse: parseJinja,
    firstRole: 'system',
    trim: (text) => text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd(),
  },
};

/** Compiles one message of a `.prompt.yml`. */
export function compileBraces(source: string, { optional = [], ...language }: TemplateLanguage): Template {
  const tree = parseBraces(source);
  const { variables } = surveyTree(tree);
  const isOptional = (name: string) => optional.includes(name);
  return {
    source,
    variables,
    language: { ...language, ...defined({ optional: optional.length === 0 ? undefined : optional }) },
    render: (vars) =>
      textOf(renderTree(tree, { ...language.defaults, ...vars }, { language: bracesLanguage, isOptional })),
  };
}

/** Names of the partials that a text uses. */
export function findPartials(source: string): readonly string[] {
  return surveyTree(parseHandlebars(source)).partials;
}

/** Compiles a Handlebars or Jinja template. Throws a `TemplateError` if it is invalid or makes messages of data. */
export function compileWhole(source: string, language: TemplateLanguage): WholeTemplate {
  const { name, partials: texts = {}, defaults = {}, optional = [] } = language;
  const parts = wholes[name === 'jinja' ? 'jinja' : 'handlebars'];
  const tree = parts.parse(source);
  const partials = Object.fromEntries(
    Object.entries(texts).map(([key, text]): [string, TemplateTree] => [key, parsePartial(key, text, parts)]),
  );
  const { variables, partials: asked } = surveyTree(tree, partials);
  const { marks } = surveyTree(tree);
  for (const mark of [...marks, ...Object.values(partials).flatMap((partial) => surveyTree(partial).marks)]) {
    checkMark(mark, marks.includes(mark) ? source : undefined);
  }
  const isOptional = (key: string) => optional.includes(key);
  const used = Object.fromEntries(Object.entries(texts).filter(([key]) => asked.includes(key)));
  const stored: TemplateLanguage = {
    name,
    ...defined({
      partials: Object.keys(used).length === 0 ? undefined : used,
      defaults: Object.keys(defaults).length === 0 ? undefined : defaults,
      optional: optional.length === 0 ? undefined : optional,
    }),
  };
  const expand = (vars: Vars): readonly RenderedMessage[] => {
    const pieces = renderTree(tree, { ...defaults, ...vars }, { language: parts.language, partials, isOptional });
    const messages = collectMessages(pieces, parts, source);
    if (messages.length > 0) return messages;
    throw new TemplateError('the prompt comes out empty', { kind: 'not-text', line: 1, column: 1 });
  };
  return { messages: slice(source, marks, parts, stored), variables, expand };
}

function parsePartial(name: string, text: string, parts: LanguageParts): TemplateTree {
  try {
    return parts.parse(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { kind, line = 1, column = 1, hint } = error;
    const message = `in the partial "${name}" (its line ${line}, column ${column}): ${error.message}`;
    throw new TemplateError(message, hint === undefined ? { kind } : { kind, hint }, { cause: error });
  }
}

const rolesByName: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'developer',
  user: 'user',
  assistant: 'assistant',
  model: 'assistant',
};

/**
 * Checks the role of a mark. It must be literal, except in a loop over a conversation: `{{ item.role }}:` is checked
 * when rendered.
 */
function checkMark({ mark, value, isGiven, offset }: MarkNode, source: string | undefined): void {
  if (mark !== 'role' || isGiven === true) return;
  const written = value?.kind === 'literal' ? value.value : undefined;
  if (typeof written === 'string' && Object.hasOwn(rolesByName, written)) return;
  const at = source === undefined ? {} : positionIn(source, offset);
  throw new TemplateError(
    written === undefined
      ? 'a role must be written in the template: a variable may not choose it'
      : `the role of a message must be system, user or model, not ${JSON.stringify(written)}`,
    { kind: 'syntax', ...at },
  );
}

/** Slices the source at its role marks. Blanks before the first mark belong to its message. */
function slice(
  source: string,
  marks: readonly MarkNode[],
  { firstRole }: LanguageParts,
  language: TemplateLanguage,
): readonly PromptMessage[] {
  const starts = marks
    .filter(({ mark }) => mark === 'role')
    .map(({ offset, value }) => ({
      role: rolesByName[value?.kind === 'literal' ? String(value.value) : ''] ?? 'user',
      start: offset,
    }));
  const [first] = starts;
  const parts =
    first !== undefined && source.slice(0, first.start).trim() === ''
      ? [{ ...first, start: 0 }, ...starts.slice(1)]
      : [{ role: firstRole, start: 0 }, ...starts];
  return parts.map((from, index, all) => {
    const text = source.slice(from.start, all[index + 1]?.start);
    // Keep the shared parts once.
    const own: TemplateLanguage = index === 0 ? language : { name: language.name };
    return { role: from.role, template: { source: text, variables: [], language: own, render: () => text } };
  });
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('');
}

function collectMessages(
  pieces: readonly Piece[],
  { firstRole, trim }: LanguageParts,
  source: string,
): readonly RenderedMessage[] {
  const messages: { role: Role; text: string; attach: string[] }[] = [{ role: firstRole, text: '', attach: [] }];
  for (const piece of pieces) {
    const current = messages.at(-1);
    switch (piece.kind) {
      case 'text':
        if (current !== undefined) current.text += piece.text;
        break;
      case 'role':
        if (piece.isGiven === true) checkGivenRole(piece.value, piece.offset, source);
        messages.push({ role: rolesByName[piece.value] ?? 'user', text: '', attach: [] });
        break;
      case 'history':
        // The history is empty, since nothing precedes a case's own turns. Text after the mark is the model's.
        messages.push({ role: 'assistant', text: '', attach: [] });
        break;
      case 'media':
        checkMedia(piece.value, piece.offset, source);
        current?.attach.push(piece.value);
        break;
      case 'section':
        break;
    }
  }
  return messages
    .map(({ role, text, attach }) => ({ role, content: trim(text), attach }))
    .filter(({ content, attach }) => content.trim() !== '' || attach.length > 0);
}

/** Checks a role from a variable. Instructions must be in the template: variables hold only the conversation. */
function checkGivenRole(role: string, offset: number, source: string): void {
  if (role === 'user' || role === 'assistant') return;
  throw new TemplateError(
    `a variable gives the role ${JSON.stringify(role.slice(0, 40))}: in a conversation it is user or assistant`,
    { kind: 'syntax', ...positionIn(source, offset), hint: 'write other roles into the template' },
  );
}

function checkMedia(url: string, offset: number, source: string): void {
  if (url !== '' && !/^[a-z][a-z0-9+.-]*:/i.test(url)) return;
  throw new TemplateError(
    url === '' ? 'media has an empty url' : `media must be a file of the project, not ${url.slice(0, 40)}`,
    {
      kind: 'syntax',
      ...positionIn(source, offset),
      hint: "write its path from the suite file's folder",
    },
  );
}

/** Compiles a recorded prompt. Liquid texts may need the engine to be loaded. */
export function compileWritten(written: readonly WrittenMessage[]): Pick<PromptVersion, 'messages' | 'expand'> {
  const [first] = written;
  if (first?.language?.name === 'code') return compileRendered(written, first.language);
  if (first?.language !== undefined && first.language.name !== 'braces') {
    const whole = compileWhole(written.map(({ content }) => content).join(''), first.language);
    return { messages: whole.messages, expand: whole.expand };
  }
  return {
    messages: written.map(({ role, content, attach, language }) => ({
      role: rolesByName[role] ?? 'user',
      template: language === undefined ? compileTemplate(content) : compileBraces(content, language),
      ...defined({ attach: attach?.map(compileTemplate) }),
    })),
  };
}

/** Builds a prompt in code from its recorded messages. */
function compileRendered(
  written: readonly WrittenMessage[],
  { rendered = { lines: [], cases: {} }, variables = [] }: TemplateLanguage,
): Pick<PromptVersion, 'messages' | 'expand'> {
  return {
    messages: written.map(({ role, content, language = { name: 'code' } }) => ({
      role: rolesByName[role] ?? 'user',
      template: { source: content, variables, language, render: () => content },
    })),
    expand: (vars) => expandTable(rendered, vars),
  };
}

/** Paths that a prompt reads, and whether they have a default. */
export function surveyWritten(written: readonly WrittenMessage[]): readonly WrittenVariable[] | undefined {
  const [first] = written;
  if (first?.language === undefined) return undefined;
  if (first.language.name === 'code') {
    return (first.language.variables ?? []).map((name) => ({ name, hasDefault: false }));
  }
  const { defaults = {}, optional = [] } = first.language;
  const source = written.map(({ content }) => content).join('');
  const { variables, guarded }: Pick<TreeSurvey, 'variables' | 'guarded'> =
    first.language.name === 'braces'
      ? {
          variables: written.flatMap(({ content }) => compileBraces(content, { name: 'braces' }).variables),
          guarded: [],
        }
      : surveyWhole(source, first.language);
  return [...new Set(variables)].map((name) => {
    const root = rootOf(name);
    if (Object.hasOwn(defaults, root)) return { name, hasDefault: true, default: defaults[root] ?? null };
    return { name, hasDefault: optional.includes(root) || guarded.includes(root) };
  });
}

interface WrittenVariable {
  readonly name: string;
  readonly hasDefault: boolean;
  readonly default?: JsonValue;
}

function surveyWhole(source: string, { name, partials = {} }: TemplateLanguage): TreeSurvey {
  const { parse } = wholes[name === 'jinja' ? 'jinja' : 'handlebars'];
  const trees = Object.fromEntries(Object.entries(partials).map(([key, text]) => [key, parse(text)]));
  return surveyTree(parse(source), trees);
}
