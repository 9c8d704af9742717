import { dirname, resolve } from 'node:path';
import type { Role } from '../../model/completion.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { Template } from '../../model/suite.ts';
import type { ParsedContract } from '../contracts/parse-contract.ts';
import { childOf, itemsOf, type Located, textSource } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { type FoundPrompt, type ParsePrompt, readPromptFile } from './prompt-file.ts';

export interface PromptContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly parsePrompt: ParsePrompt;
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
  /** The suite's, and behind it the config's. */
  readonly suiteContract: ParsedContract;
}

interface PlacedPath {
  readonly text: string;
  readonly at: (line: number, column: number) => SourceLocation;
}

export interface PlacedText extends PlacedPath {
  readonly role: Role;
  readonly attach: readonly PlacedPath[];
  /** Set where the file's own language is no Liquid. */
  readonly compiled?: Template;
}

interface PromptContent {
  readonly texts: readonly PlacedText[];
  readonly found?: FoundPrompt;
}

export async function readContent(
  item: Located,
  prompt: { file?: string | undefined; text?: string | undefined },
  context: PromptContext,
): Promise<PromptContent | undefined> {
  if (prompt.text !== undefined) return { texts: [placeText('user', prompt.text, childOf(item, 'text'))] };
  if (prompt.file !== undefined) return readFileContent({ ...childOf(item, 'file'), value: prompt.file }, context);
  const texts: PlacedText[] = [];
  const messages = itemsOf(childOf(item, 'messages'));
  for (const message of messages) {
    const role = toRole(childOf(message, 'role').value);
    const content = childOf(message, 'content');
    const file = childOf(message, 'file');
    const attach = itemsOf(childOf(message, 'attach')).map((path) => placePath(String(path.value), path));
    if (typeof content.value === 'string') texts.push({ ...placeText(role, content.value, content), attach });
    else if (typeof file.value === 'string') {
      const text = await readText(resolve(file.source.folder, file.value), file, context);
      if (text !== undefined) texts.push({ role, ...text, attach });
    }
  }
  return texts.length < messages.length ? undefined : { texts };
}

function placeText(role: Role, text: string, located: Located): PlacedText {
  return { role, ...placePath(text, located), attach: [] };
}

function placePath(text: string, located: Located): PlacedPath {
  return { text, at: (line, column) => located.source.within(located.path, line, column) };
}

async function readFileContent(namedBy: Located<string>, context: PromptContext): Promise<PromptContent | undefined> {
  const { folder } = namedBy.source;
  const found = await readPromptFile(resolve(folder, namedBy.value), context, namedBy);
  if (found === undefined) return undefined;
  const texts: PlacedText[] = [];
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

export function placeIn(
  { source }: FoundPrompt,
  locateIn: (line: number, column: number) => { readonly line: number; readonly column: number },
): PlacedText['at'] {
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
): Promise<PlacedPath | undefined> {
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

function toRole(value: unknown): Role {
  return value === 'system' || value === 'developer' || value === 'assistant' ? value : 'user';
}
