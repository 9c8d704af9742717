/*
 * Reads the output of `codex exec --json`: one event per line. Source: openai/codex, codex-rs/exec/src/exec_events.rs,
 * commit 08a1f30, read on 2026-11-27. The events do not group items by answer. A message belongs to the call after it,
 * and overlapping calls to one answer.
 */
import { defined } from '../../../json/defined.ts';
import type { JsonObject, JsonValue } from '../../../json/json.ts';
import { isJsonObject } from '../../../json/json.ts';
import type { AgentStep, AnsweredCall, ToolResult, Usage } from '../../../model/run/completion.ts';
import { buildToolCall, list, objectOf, readTotals, text } from '../../answer.ts';
import { describeText } from '../../failures/read-api-error.ts';
import { buildResult, type Transcript, TranscriptFault, textOf } from './read-parts.ts';

const ownEvents = /^(?:thread\.started|turn\.(?:started|completed|failed)|item\.(?:started|updated|completed))$/;

export function isCodex(events: readonly JsonObject[]): boolean {
  return events.some(({ type }) => typeof type === 'string' && ownEvents.test(type));
}

export function readCodex(events: readonly JsonObject[]): Transcript {
  const usage = readEnd(events);
  if (!events.some(({ type }) => type === 'thread.started')) {
    throw new TranscriptFault('wrote a transcript of Codex without its beginning (the event thread.started)');
  }
  const items = new Items();
  for (const { type, item } of events) {
    if (type === 'turn.started') items.startTurn();
    if (typeof type === 'string' && type.startsWith('item.') && isJsonObject(item)) items.add(type, item);
  }
  const { steps } = items;
  if (steps.length === 0) throw new TranscriptFault('wrote a transcript of Codex without an answer');
  return { steps, text: items.text, finishReason: 'stop', ...defined({ usage }) };
}

/** Returns the run's tokens. Fails if the last turn did not end well. */
function readEnd(events: readonly JsonObject[]): Usage | undefined {
  const ends = events.filter(({ type }) => type === 'turn.completed' || type === 'turn.failed');
  const last = ends.at(-1);
  const error = last?.['type'] === 'turn.failed' ? objectOf(last['error']) : undefined;
  if (error !== undefined) throw failed(error['message']);
  const at = last === undefined ? -1 : events.lastIndexOf(last);
  const rest = events.slice(at + 1);
  // Codex also reports a lost connection as an error and continues. An error counts only if nothing follows.
  const fatal = rest.at(-1);
  if (fatal?.['type'] === 'error') throw failed(fatal['message']);
  if (last === undefined || rest.some(({ type }) => typeof type === 'string' && ownEvents.test(type))) {
    throw new TranscriptFault('wrote a transcript of Codex that ends without turn.completed: it was cut off');
  }
  return readUsage(objectOf(last['usage']));
}

function failed(message: JsonValue | undefined): TranscriptFault {
  const givenReason = describeText(text(message) ?? 'no reason given');
  return new TranscriptFault(`reported that it failed: ${givenReason}`, 'server');
}

/** Reads the usage. The output includes reasoning, the input includes cached tokens. Codex reports no cost. */
function readUsage(usage: JsonObject): Usage | undefined {
  return readTotals({
    inputTokens: usage['input_tokens'],
    outputTokens: usage['output_tokens'],
    cachedInputTokens: usage['cached_input_tokens'],
    reasoningTokens: usage['reasoning_output_tokens'],
  });
}

/** Items without a tool call: messages, plans, errors. */
const silent = new Set(['reasoning', 'plan', 'todo_list', 'error']);

interface OpenStep {
  text: string;
  readonly calls: AnsweredCall[];
}

class Items {
  readonly #steps: OpenStep[] = [];
  readonly #places = new Map<JsonValue, { readonly step: OpenStep; readonly at: number }>();
  readonly #open = new Set<JsonValue>();
  #text = '';
  #isNewTurn = false;

  get steps(): readonly AgentStep[] {
    return this.#steps;
  }

  /** Text of the last message. */
  get text(): string {
    return this.#text;
  }

  /** Starts a turn. Its calls belong neither to the last message nor to an open call of the turn before. */
  startTurn(): void {
    this.#isNewTurn = true;
    this.#open.clear();
  }

  add(event: string, item: JsonObject): void {
    const { type, id = null } = item;
    if (typeof type === 'string' && silent.has(type)) return;
    const isDone = event === 'item.completed';
    if (type === 'agent_message') {
      if (!isDone) return;
      this.#text = text(item['text']) ?? '';
      this.#steps.push({ text: this.#text, calls: [] });
      this.#isNewTurn = false;
      return;
    }
    const call = readCall(item);
    // A resumed session counts items from 0 again.
    const known = this.#open.has(id) ? this.#places.get(id) : undefined;
    const place = known ?? this.#start(id, call);
    place.step.calls[place.at] = isDone ? { ...call, result: readResult(item) } : call;
    if (isDone) this.#open.delete(id);
  }

  #start(id: JsonValue, call: AnsweredCall) {
    const last = this.#steps.at(-1);
    const goesOn = !this.#isNewTurn && (this.#open.size > 0 || last?.calls.length === 0);
    this.#isNewTurn = false;
    const step = goesOn && last !== undefined ? last : { text: '', calls: [] };
    if (step !== last) this.#steps.push(step);
    const place = { step, at: step.calls.push(call) - 1 };
    this.#places.set(id, place);
    this.#open.add(id);
    return place;
  }
}

/**
 * Names a call: MCP tools by the model's name for them, other tools by their item type. Unknown items count as calls.
 */
function readCall(item: JsonObject): AnsweredCall {
  const { id, type: written, server, tool, command, changes, query, prompt, status: _status, ...rest } = item;
  const type = text(written);
  if (type === 'command_execution') return buildToolCall(id, type, defined({ command }));
  if (type === 'file_change') return buildToolCall(id, type, defined({ changes }));
  if (type === 'web_search') return buildToolCall(id, type, defined({ query }));
  const [serverName, toolName] = [text(server), text(tool)];
  if (type === 'mcp_tool_call' && serverName !== undefined && toolName !== undefined) {
    return buildToolCall(id, `mcp__${serverName}__${toolName}`, item['arguments'] ?? {});
  }
  const name = type === 'collab_tool_call' ? toolName : type;
  if (name === undefined || name === 'mcp_tool_call') {
    throw new TranscriptFault('wrote a transcript of Codex with an item that is a tool call without a name');
  }
  return buildToolCall(id, name, { ...rest, ...defined({ command, changes, query, prompt }) });
}

function readResult(item: JsonObject): ToolResult {
  const { type, status, error, result, aggregated_output: output, exit_code: exitCode } = item;
  const isError = status === 'failed' || status === 'declined' || isJsonObject(error);
  if (type === 'command_execution') return buildResult(output ?? '', isError || (exitCode ?? 0) !== 0);
  if (isJsonObject(error)) return buildResult(error['message'] ?? 'failed', true);
  if (isJsonObject(result)) {
    const { content, structured_content: structured } = result;
    return buildResult(list(content).length > 0 ? textOf(content) : (structured ?? result), isError);
  }
  return buildResult(typeof status === 'string' ? status : '', isError);
}
