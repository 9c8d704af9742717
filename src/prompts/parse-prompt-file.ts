import { isJsonObject } from '../json/json.ts';
import { findInJson, parseJsonNodes } from '../json/parse-json.ts';
import type { ParsedPromptFile, PromptFileMessage, PromptFilePorts } from '../model/suite/prompt-file.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { parseYaml, type YamlText } from '../text/yaml/yaml-text.ts';
import { openText, type PromptText, reportUnknownKeys } from './prompt-document.ts';

interface PromptFile {
  /** The path shown in problems. Its suffix decides the format. */
  readonly path: string;
  readonly text: string;
}

const knownRoles = ['system', 'developer', 'user', 'assistant'] as const;

/**
 * Reads a prompt file of any format, chosen by the suffix. `.md` and `.txt` are one user message, `.yaml` and `.json` a
 * list of messages. The others have parameters, schemas and test data of their own.
 */
export async function parsePromptFile({ path, text }: PromptFile, ports: PromptFilePorts): Promise<ParsedPromptFile> {
  const name = path.toLowerCase();
  // Import on use: most prompts are Markdown.
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
  // Line ends depend on the checkout, not on the prompt.
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
    return { value: undefined, errors: [node.error], warnings: [], find: () => offset, findWithin: () => offset };
  }
  const find: YamlText['find'] = (path, part) => findInJson(node, path, part);
  return { value: node.value, errors: [], warnings: [], find, findWithin: (path) => find(path, 'value') };
}

function parseMessages(path: string, text: string, yaml: YamlText): ParsedPromptFile {
  const file = openText(path, text, yaml);
  const { problems, report, at } = file;
  if (problems.length > 0) return { problems };
  const { value } = yaml;
  const isMap = isJsonObject(value);
  if (isMap && value['content'] !== undefined && value['messages'] === undefined) {
    const hint = 'begin it with "- ": a prompt file is a list of messages';
    report('invalid-value', 'a prompt file holds a list of messages, not one', at([]), hint);
    return { problems };
  }
  if (isMap) reportUnknownKeys(file, [], value, 'a prompt file', ['messages']);
  const root = isMap ? ['messages'] : [];
  const list: unknown = isMap ? value['messages'] : value;
  if (!Array.isArray(list) || list.length === 0) {
    const hint = 'write - role: user and content: … for each';
    report('invalid-value', 'a prompt file holds a list of messages', at(root), hint);
    return { problems };
  }
  const messages = list.flatMap((item: unknown, index) => readMessage(item, [...root, index], file) ?? []);
  return problems.length > 0 ? { problems } : { messages, warnings: [] };
}

/** Reads a message; undefined if it is invalid, which is reported. */
function readMessage(item: unknown, path: readonly PropertyKey[], file: PromptText): PromptFileMessage | undefined {
  const { report, at } = file;
  if (!isJsonObject(item)) {
    report('invalid-value', 'a message is a map of role and content', at(path));
    return undefined;
  }
  reportUnknownKeys(file, path, item, 'a message', ['role', 'content', 'file']);
  const { role: written, content, file: named } = item;
  const role = knownRoles.find((known) => known === written);
  if (role === undefined) {
    const hint =
      written === 'model'
        ? 'write assistant'
        : typeof written === 'string'
          ? didYouMean(written, knownRoles)
          : undefined;
    const message = `the role of a message must be ${knownRoles.slice(0, -1).join(', ')} or assistant`;
    report('invalid-value', message, at([...path, 'role']), hint);
  }
  const key = content === undefined ? 'file' : 'content';
  const text = content ?? named;
  if ((content === undefined) === (named === undefined)) {
    report('invalid-value', 'a message needs either content or file', at(path));
    return undefined;
  }
  if (typeof text !== 'string') {
    report('invalid-value', 'the content of a message must be a text', at([...path, key]));
    return undefined;
  }
  if (role === undefined) return undefined;
  return {
    role,
    content: key === 'content' ? { source: text } : { file: text },
    locate: (line, column) => file.within([...path, key], line, column),
  };
}
