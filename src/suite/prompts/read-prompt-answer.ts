import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { Role } from '../../model/run/completion.ts';
import type { RenderedMessage } from '../../model/suite/suite.ts';
import { findSecrets } from '../../secrets/find-secrets.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { describeValue } from '../documents/describe-issue.ts';

/** The return value of a prompt in code for one case. */
export interface PromptInCode {
  readonly messages: readonly RenderedMessage[];
  readonly params: JsonObject;
}

type Read<T> = T | { readonly fault: string };

/** Reads a text, a list of messages or `{messages, params, tools}`; anything else is a fault, never sent. */
export function readPromptAnswer(returned: unknown): Read<PromptInCode> {
  const value = plainNumbers(returned);
  if (typeof value === 'string') return withMessages([{ role: 'user', content: value }], {});
  if (Array.isArray(value)) return withMessages(value, {});
  if (!isJsonObject(value)) return { fault: `returned ${describeValue(value)}: ${forms}` };
  const { messages, params = {}, tools, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return { fault: `returned the unknown key "${unknown}": ${forms}` };
  if (!Array.isArray(messages)) return { fault: `returned an object without a list of messages: ${forms}` };
  if (!isJsonObject(params)) return { fault: `returned params that are ${describeValue(params)}, not an object` };
  const fault = findToolFault(params, tools);
  if (fault !== undefined) return { fault };
  return withMessages(messages, tools === undefined ? params : { ...params, tools });
}

const forms = 'a prompt is a text, a list of {role, content}, or {messages, params, tools}';

function findToolFault(params: JsonObject, tools: JsonValue | undefined): string | undefined {
  if (tools !== undefined && Object.hasOwn(params, 'tools')) return 'returned tools twice: beside params and in them';
  const list = tools ?? params['tools'];
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) return `returned tools that are ${describeValue(list)}, not a list`;
  const items: readonly JsonValue[] = list;
  if (!items.every(isJsonObject)) return 'returned a tool that is no object';
  if (items.some((tool) => isJsonObject(tool) && typeof tool['mcp'] === 'string'))
    return 'returned tools of an MCP server: write them under params of the suite';
  return undefined;
}

function withMessages(written: readonly unknown[], params: JsonObject): Read<PromptInCode> {
  const messages: RenderedMessage[] = [];
  for (const [index, item] of written.entries()) {
    const message = readMessage(item, `message ${index + 1}`);
    if ('fault' in message) return message;
    messages.push(message);
  }
  if (messages.every(({ content }) => content.trim() === '')) return { fault: 'returned an empty prompt' };
  return { messages, params };
}

function readMessage(item: unknown, name: string): Read<RenderedMessage> {
  if (!isJsonObject(item)) return { fault: `returned ${describeValue(item)} as ${name}: ${forms}` };
  const { role, content, ...others } = item;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return { fault: `returned the unknown key "${unknown}" in ${name}` };
  if (!isRole(role)) {
    return { fault: `returned the role ${JSON.stringify(role) ?? 'none'} in ${name}: use ${roles.join(', ')}` };
  }
  if (typeof content !== 'string') {
    return { fault: `returned ${describeValue(content)} as the content of ${name}, which must be a text` };
  }
  return { role, content, attach: [] };
}

const roles: readonly Role[] = ['system', 'developer', 'user', 'assistant'];

function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}

/** Finds an API key that the code adds. A key among the case's variables is test data. */
export function findAddedSecret({ messages }: PromptInCode, vars: unknown): string | undefined {
  const given = JSON.stringify(vars);
  for (const { content } of messages) {
    const found = findSecrets(content, { entropy: false, ignore: new Set(), limit: 20 });
    const added = found.find(({ text }) => !given.includes(JSON.stringify(text).slice(1, -1)));
    if (added !== undefined) return `returned a message that holds ${added.kind}, which no variable has`;
  }
  return undefined;
}

/** The first difference of two results of one case; undefined if they are equal. */
export function findDifference(first: PromptInCode, second: PromptInCode): string | undefined {
  for (const [index, message] of first.messages.entries()) {
    const other = second.messages[index];
    const name = `message ${index + 1}`;
    if (other === undefined) return `${name} is missing the second time`;
    if (other.role !== message.role) return `the role of ${name} is ${message.role}, then ${other.role}`;
    if (other.content !== message.content) return `${name} has ${showBoth(message.content, other.content)}`;
  }
  if (second.messages.length > first.messages.length) return 'there are more messages the second time';
  const [before, after] = [JSON.stringify(first.params), JSON.stringify(second.params)];
  return before === after ? undefined : `params or tools have ${showBoth(before, after)}`;
}

/** The lines from just before the first difference. */
function showBoth(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const start = Math.max(0, at - 20);
  const show = (text: string) => {
    const end = start + 60;
    return JSON.stringify(`${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`);
  };
  return `${show(a)}, then ${show(b)}`;
}
