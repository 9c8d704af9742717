import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { findInJson, parseJsonNodes } from '../json/json-text.ts';
import type { Problem, ProblemCode } from '../model/problem.ts';
import type { ParsedPromptFile, PromptFileMessage, PromptFilePorts } from '../model/prompt-file.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { createLineIndex } from '../text/line-index.ts';
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
  return refuse(
    'invalid-value',
    `the format of ${path} is not known by its suffix`,
    'a prompt file ends in .md, .txt, .yaml, .yml, .json, .prompt.yml, .prompt or .prompty',
  );
}

function refuse(code: ProblemCode, message: string, hint: string): ParsedPromptFile {
  return { problems: [{ code, severity: 'error', message, hint }] };
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

function parseMessages(path: string, text: string, document: YamlText): ParsedPromptFile {
  const lines = createLineIndex(text);
  const problems: Problem[] = [];
  const report = (code: ProblemCode, message: string, offset: number, hint?: string) => {
    const position = lines.positionAt(offset);
    const at = { file: path, ...position, excerpt: lines.excerptAround(position) };
    problems.push({ code, severity: 'error', message, at, ...defined({ hint }) });
  };
  for (const { message, offset, hint } of document.errors) report('syntax', message, offset, hint);
  if (document.errors.length > 0) return { problems };

  const { value } = document;
  const root = isJsonObject(value) ? ['messages'] : [];
  if (isJsonObject(value)) {
    for (const key of Object.keys(value).filter((key) => key !== 'messages')) {
      report(
        'unknown-key',
        `unknown key "${key}" in a prompt file`,
        document.find([key], 'key'),
        didYouMean(key, ['messages']) ?? 'known here: messages',
      );
    }
  }
  const list: unknown = isJsonObject(value) ? value['messages'] : value;
  if (!Array.isArray(list) || list.length === 0) {
    report(
      'invalid-value',
      'a prompt file holds a list of messages',
      document.find(root, 'value'),
      'write - role: user and content: … for each',
    );
    return { problems };
  }
  const messages = list.flatMap((item: unknown, index) => parseMessage(item, [...root, index]));
  return problems.length > 0 ? { problems } : { messages, warnings: [] };

  function parseMessage(item: unknown, at: readonly PropertyKey[]): readonly PromptFileMessage[] {
    const before = problems.length;
    if (!isJsonObject(item)) {
      report('invalid-value', 'a message is a map of role and content', document.find(at, 'value'));
      return [];
    }
    for (const key of Object.keys(item).filter((key) => !['role', 'content', 'file'].includes(key))) {
      report(
        'unknown-key',
        `unknown key "${key}" in a message`,
        document.find([...at, key], 'key'),
        didYouMean(key, ['role', 'content', 'file']) ?? 'known here: role, content, file',
      );
    }
    const written = item['role'];
    const role = ROLES.find((known) => known === written);
    if (role === undefined) {
      const hint =
        written === 'model' ? 'write assistant' : typeof written === 'string' ? didYouMean(written, ROLES) : undefined;
      report(
        'invalid-value',
        `the role of a message must be ${ROLES.slice(0, -1).join(', ')} or assistant`,
        document.find([...at, 'role'], 'value'),
        hint,
      );
    }
    const { content, file } = item;
    if ((content === undefined) === (file === undefined)) {
      report('invalid-value', 'a message needs either content or file', document.find(at, 'value'));
    } else if (typeof (content ?? file) !== 'string') {
      report(
        'invalid-value',
        'the content of a message must be a text',
        document.find([...at, content === undefined ? 'file' : 'content'], 'value'),
      );
    }
    if (problems.length > before || role === undefined) return [];
    const path = [...at, typeof content === 'string' ? 'content' : 'file'];
    return [
      {
        role,
        content: typeof content === 'string' ? { source: content } : { file: String(file) },
        locate: (line, column) => lines.positionAt(document.findWithin(path, line, column)),
      },
    ];
  }
}
