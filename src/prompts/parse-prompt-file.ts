import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { findInJson, parseJsonNodes } from '../json/parse-json.ts';
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { ParsedPromptFile, PromptFileMessage, PromptFilePorts } from '../model/prompt-file.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { createLineIndex, type LineIndex } from '../text/line-index.ts';
import { parseYaml, type YamlText } from '../text/yaml-text.ts';

interface PromptFile {
  /** As problems name it; its suffix tells the format. */
  readonly path: string;
  readonly text: string;
}

const ROLES = ['system', 'developer', 'user', 'assistant'] as const;

/**
 * Reads a prompt file into the one form of all formats. Its suffix tells the format: `.md` and `.txt` are one user message,
 * `.yaml` and `.json` a list of messages; the others have parameters, schemas and test data of their own.
 */
export async function parsePromptFile({ path, text }: PromptFile, ports: PromptFilePorts): Promise<ParsedPromptFile> {
  const name = path.toLowerCase();
  // Imported on use: most prompts are Markdown.
  if (/\.prompt\.ya?ml$/.test(name)) return (await import('./github-prompt.ts')).parseGithubPrompt(path, text);
  if (name.endsWith('.prompt')) return (await import('./dotprompt.ts')).parseDotprompt(path, text, ports);
  if (name.endsWith('.prompty')) return (await import('./prompty.ts')).parsePrompty(path, text, ports);
  if (/\.(?:md|txt)$/.test(name)) return parseText(text);
  if (/\.ya?ml$/.test(name)) return parseMessages(path, text, parseYaml(text));
  if (name.endsWith('.json')) return parseMessages(path, text, readJson(text));
  const message = `the format of ${path} is not known by its suffix`;
  const hint = 'a prompt file ends in .md, .txt, .yaml, .yml, .json, .prompt.yml, .prompt or .prompty';
  return { problems: [{ code: 'invalid-value', severity: 'error', message, hint }] };
}

function parseText(text: string): ParsedPromptFile {
  // How a checkout ends its lines is no part of the prompt.
  const source = text.replaceAll('\r\n', '\n').replace(/\n$/, '');
  return {
    messages: [{ role: 'user', content: { source }, locate: (line, column) => ({ line, column }) }],
    warnings: [],
  };
}

function readJson(text: string): YamlText {
  const node = parseJsonNodes(text);
  if ('error' in node) {
    const { offset } = node.error;
    return { value: undefined, errors: [node.error], find: () => offset, findWithin: () => offset };
  }
  const find: YamlText['find'] = (path, part) => findInJson(node, path, part);
  return { value: node.value, errors: [], find, findWithin: (path) => find(path, 'value') };
}

interface MessagesFile {
  readonly document: YamlText;
  readonly lines: LineIndex;
  readonly report: (code: ProblemCode, message: string, offset: number, hint?: string) => void;
}

function parseMessages(path: string, text: string, document: YamlText): ParsedPromptFile {
  const lines = createLineIndex(text);
  const problems: Problem[] = [];
  const report: MessagesFile['report'] = (code, message, offset, hint) => {
    const position = lines.positionAt(offset);
    const at = { file: path, ...position, excerpt: lines.excerptAround(position) };
    problems.push({ code, severity: 'error', message, at, ...defined({ hint }) });
  };
  for (const { message, offset, hint } of document.errors) report('syntax', message, offset, hint);
  if (document.errors.length > 0) return { problems };

  const file = { document, lines, report };
  const { value } = document;
  const isMap = isJsonObject(value);
  if (isMap && value['content'] !== undefined && value['messages'] === undefined) {
    const hint = 'begin it with "- ": a prompt file is a list of messages';
    report('invalid-value', 'a prompt file holds a list of messages, not one', document.find([], 'value'), hint);
    return { problems };
  }
  if (isMap) reportUnknownKeys(value, [], 'a prompt file', ['messages'], file);
  const root = isMap ? ['messages'] : [];
  const list: unknown = isMap ? value['messages'] : value;
  if (!Array.isArray(list) || list.length === 0) {
    const hint = 'write - role: user and content: … for each';
    report('invalid-value', 'a prompt file holds a list of messages', document.find(root, 'value'), hint);
    return { problems };
  }
  const messages = list.flatMap((item: unknown, index) => readMessage(item, [...root, index], file) ?? []);
  return problems.length > 0 ? { problems } : { messages, warnings: [] };
}

function reportUnknownKeys(
  value: object,
  at: readonly PropertyKey[],
  noun: string,
  known: readonly string[],
  { document, report }: MessagesFile,
): void {
  for (const key of Object.keys(value).filter((other) => !known.includes(other))) {
    const hint = didYouMean(key, known) ?? `known here: ${known.join(', ')}`;
    report('unknown-key', `unknown key "${key}" in ${noun}`, document.find([...at, key], 'key'), hint);
  }
}

/** Undefined where the message is wrong, which is reported. */
function readMessage(item: unknown, at: readonly PropertyKey[], file: MessagesFile): PromptFileMessage | undefined {
  const { document, lines, report } = file;
  if (!isJsonObject(item)) {
    report('invalid-value', 'a message is a map of role and content', document.find(at, 'value'));
    return undefined;
  }
  reportUnknownKeys(item, at, 'a message', ['role', 'content', 'file'], file);
  const { role: written, content, file: named } = item;
  const role = ROLES.find((known) => known === written);
  if (role === undefined) {
    const hint =
      written === 'model' ? 'write assistant' : typeof written === 'string' ? didYouMean(written, ROLES) : undefined;
    const message = `the role of a message must be ${ROLES.slice(0, -1).join(', ')} or assistant`;
    report('invalid-value', message, document.find([...at, 'role'], 'value'), hint);
  }
  const key = content === undefined ? 'file' : 'content';
  const text = content ?? named;
  if ((content === undefined) === (named === undefined)) {
    report('invalid-value', 'a message needs either content or file', document.find(at, 'value'));
    return undefined;
  }
  if (typeof text !== 'string') {
    report('invalid-value', 'the content of a message must be a text', document.find([...at, key], 'value'));
    return undefined;
  }
  if (role === undefined) return undefined;
  return {
    role,
    content: key === 'content' ? { source: text } : { file: text },
    locate: (line, column) => lines.positionAt(document.findWithin([...at, key], line, column)),
  };
}
