import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { writeJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import {
  type Attachment,
  type CompletionRequest,
  isSystemRole,
  type Message,
  type ProviderFailure,
  type ToolCall,
} from '../model/run/completion.ts';
import { attemptOr } from '../text/attempt.ts';
import { toSlashes } from '../text/to-slashes.ts';

/** A message's file, read and encoded. */
export interface OutgoingFile {
  /** Path relative to the project root. */
  readonly path: string;
  /** Such as image/png or application/pdf. */
  readonly mediaType: string;
  readonly base64: string;
}

export interface OutgoingMessage extends Message {
  readonly files?: readonly OutgoingFile[];
}

/** A request ready for an API's format, with all files read. */
export interface OutgoingRequest extends CompletionRequest {
  readonly messages: readonly OutgoingMessage[];
}

type Prepared = { readonly request: OutgoingRequest } | { readonly failure: ProviderFailure };

/** The files that an API accepts in messages. */
export interface TakenFiles {
  /** Accepted media types. */
  readonly takes: RegExp;
  /** True if the API takes system messages separately, as text. */
  readonly hasSystemOfText?: true;
}

export interface FileRules extends TakenFiles {
  readonly projectRoot: string;
  /** Name of the API, for messages. */
  readonly name: string;
}

/** Reads the request's files. Refuses requests whose answer no adapter can read. */
export function prepareRequest(request: CompletionRequest, rules: FileRules): Prepared {
  if (request.params['stream'] === true) {
    return refuse('params.stream is true: remove it, and write stream: true beside params to have answers streamed');
  }
  if (request.params['background'] === true) {
    return refuse('params.background is true, but answers are awaited: remove it');
  }
  return loadFiles(request, rules);
}

/** Loads the attached files. Fails if one changed since the run was planned. */
function loadFiles(request: CompletionRequest, { projectRoot, takes, hasSystemOfText, name }: FileRules): Prepared {
  if (request.messages.every(({ attachments }) => attachments === undefined)) return { request };
  const faults: string[] = [];
  const messages = request.messages.map((message): OutgoingMessage => {
    const { attachments = [] } = message;
    const files = attachments.flatMap(({ path, mediaType, sha256 }): OutgoingFile[] => {
      if (!takes.test(mediaType)) {
        faults.push(`${name} takes no ${mediaType}: ${path}`);
        return [];
      }
      if (hasSystemOfText && isSystemRole(message.role)) {
        faults.push(`${name} takes no files in a ${message.role} message: ${path}`);
        return [];
      }
      const read = readAttachment(path, projectRoot);
      if ('fault' in read) faults.push(`${path} ${read.fault}`);
      else if (read.attachment.sha256 !== sha256) faults.push(`${path} changed while the run went on: run it again`);
      else return [{ path, mediaType, base64: read.content.toString('base64') }];
      return [];
    });
    return files.length === 0 ? message : { ...message, files };
  });
  return faults.length > 0 ? refuse(faults.join('; ')) : { request: { ...request, messages } };
}

function refuse(message: string): Prepared {
  return { failure: { kind: 'badRequest', message } };
}

/** Media types that a message can carry, by suffix. */
const mediaTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.pdf': 'application/pdf',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mp3',
};

/** Finds the media type by the suffix; undefined if no message can carry the file. */
export function mediaTypeOf(path: string): string | undefined {
  const suffix = extname(path).toLowerCase();
  return Object.hasOwn(mediaTypes, suffix) ? mediaTypes[suffix] : undefined;
}

const maxFileBytes = 50 * 1024 * 1024;
/** Start of the placeholder that a checkout without Git LFS has instead of the file. */
const lfsPointer = Buffer.from('version https://git-lfs.github.com/spec/');

interface ReadFile {
  readonly attachment: Attachment;
  readonly content: Buffer;
}

/** Why a file can't be attached: the end of a sentence about it. */
interface FileFault {
  readonly code: 'file-unreadable' | 'file-outside-project' | 'invalid-value';
  readonly fault: string;
}

/** Reads and describes a file below the root. `path` is relative to the root or absolute. */
export function readAttachment(path: string, projectRoot: string): ReadFile | FileFault {
  const mediaType = mediaTypeOf(path);
  if (mediaType === undefined) {
    return { code: 'invalid-value', fault: `is not an image, PDF or sound (${Object.keys(mediaTypes).join(', ')})` };
  }
  try {
    const root = realpathSync(projectRoot);
    const file = realpathSync(resolve(projectRoot, path));
    const below = relative(root, file);
    if (leavesRoot(below)) {
      return { code: 'file-outside-project', fault: 'is outside the project' };
    }
    const stats = statSync(file);
    // Reading a pipe might never end.
    if (!stats.isFile()) return { code: 'file-unreadable', fault: 'is not a file' };
    if (stats.size > maxFileBytes)
      return { code: 'invalid-value', fault: `is larger than ${maxFileBytes / 1024 / 1024} MiB` };
    const content = readFileSync(file);
    if (content.length === 0) return { code: 'invalid-value', fault: 'is empty' };
    if (content.subarray(0, lfsPointer.length).equals(lfsPointer)) {
      return { code: 'file-unreadable', fault: 'is a pointer of Git LFS, not the file: run `git lfs pull`' };
    }
    const sha256 = createHash('sha256').update(content).digest('hex');
    return {
      attachment: { path: toSlashes(below), mediaType, bytes: content.length, sha256 },
      content,
    };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return {
      code: 'file-unreadable',
      fault: error.code === 'ENOENT' ? 'does not exist' : `can't be read: ${error.message}`,
    };
  }
}

/** True if a path relative to a root leads out of it. On Windows, an absolute path is on another drive. */
export function leavesRoot(relativePath: string): boolean {
  return relativePath === '..' || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath);
}

/** Consecutive messages of one side. */
interface TurnGroup {
  readonly isAssistant: boolean;
  readonly parts: readonly OutgoingMessage[];
}

/**
 * Groups messages by turn for APIs with two sides. Drops system messages, and puts the results of parallel calls into
 * one user turn.
 */
export function groupTurns(messages: readonly OutgoingMessage[]): readonly TurnGroup[] {
  const groups: { isAssistant: boolean; parts: OutgoingMessage[] }[] = [];
  for (const message of messages) {
    if (isSystem(message)) continue;
    const isAssistant = message.role === 'assistant';
    const last = groups.at(-1);
    if (last?.isAssistant === isAssistant) last.parts.push(message);
    else groups.push({ isAssistant, parts: [message] });
  }
  return groups;
}

/** Joins the system and developer messages, for APIs that take them separately; undefined if there are none. */
export function joinSystem(messages: readonly OutgoingMessage[]): string | undefined {
  const texts = messages.filter(isSystem).map(({ content }) => content);
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

/** Returns arguments as an object, for APIs that accept nothing else. Other arguments are wrapped as text. */
export function argumentsOf({ arguments: parsed, rawArguments }: ToolCall): JsonObject {
  return isJsonObject(parsed) ? parsed : { arguments: rawArguments };
}

function isSystem({ role }: OutgoingMessage): boolean {
  return isSystemRole(role);
}

/** The request of an answer; unknown for answers of a batch. */
export type AskedRequest = Pick<CompletionRequest, 'messages' | 'params'>;

/** True if an answer calls tools or follows the results of calls. APIs need the reasoning only of these answers. */
export function isOfToolLoop(toolCalls: readonly ToolCall[], asked: AskedRequest | undefined): boolean {
  return toolCalls.length > 0 || asked?.messages.at(-1)?.role === 'tool';
}

/**
 * Serializes the parts to send back. A string is safe: stores sort the members of objects, but the API must get its
 * parts unchanged.
 */
export function writeContinuation(kept: JsonValue): string {
  return writeJson(kept) ?? '';
}

/** Parses stored parts; undefined if there are none or another adapter wrote them. */
export function readContinuation({ continuation }: Pick<Message, 'continuation'>): JsonValue | undefined {
  if (typeof continuation !== 'string') return undefined;
  return attemptOr(() => parseExactJson(continuation) as JsonValue, SyntaxError, undefined);
}

/**
 * Reads the stored parts of an answer and gives each call the id that its result names. `withId` returns a call's part
 * with that id, and undefined for other parts.
 */
export function readKeptParts(
  message: Pick<Message, 'continuation' | 'toolCalls'>,
  withId: (part: JsonObject, id: string | undefined) => JsonObject | undefined,
): readonly JsonObject[] | undefined {
  const kept = readContinuation(message);
  if (!Array.isArray(kept)) return undefined;
  const { toolCalls = [] } = message;
  let calls = 0;
  return (kept as readonly JsonValue[]).filter(isJsonObject).map((part) => {
    const call = withId(part, toolCalls[calls]?.id);
    if (call !== undefined) calls += 1;
    return call ?? part;
  });
}
