import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import { type AnsweredJson, tryParseAnswer } from '../../../json/parse-json.ts';
import { plainNumbers } from '../../../text/yaml/exact-numbers.ts';
import { isClaudeCode, readClaudeCode } from './claude-code.ts';
import { isCodex, readCodex } from './codex.ts';
import { isGeminiCli, readGeminiCli } from './gemini-cli.ts';
import { readMessages } from './read-messages.ts';
import { type Transcript, TranscriptFault } from './read-parts.ts';

export const transcriptForms = ['claude-code', 'codex', 'gemini-cli'] as const;

export type TranscriptForm = (typeof transcriptForms)[number];

interface Form {
  readonly is: (events: readonly JsonObject[]) => boolean;
  readonly read: (events: readonly JsonObject[]) => Transcript;
  readonly command: string;
}

const forms: Readonly<Record<TranscriptForm, Form>> = {
  'claude-code': {
    is: isClaudeCode,
    read: readClaudeCode,
    command: 'claude -p --output-format stream-json --verbose',
  },
  codex: { is: isCodex, read: readCodex, command: 'codex exec --json' },
  'gemini-cli': { is: isGeminiCli, read: readGeminiCli, command: 'gemini --output-format stream-json' },
};

const commands = transcriptForms.map((form) => forms[form].command).join(', ');

/** Reads the events of a known program, or the messages of a framework. */
export function readEvents(events: readonly unknown[]): Transcript {
  const plain = events.map((event) => plainNumbers(event) as JsonObject);
  const form = transcriptForms.find((name) => forms[name].is(plain));
  return form === undefined ? readMessages(plain) : forms[form].read(plain);
}

/** Reads a program's output, which must have this form. */
export function readTranscript(stdout: string, form: TranscriptForm): Transcript {
  const { is, read, command } = forms[form];
  const { events, brokenLine, repeated } = parseEvents(stdout);
  if (!is(events)) {
    throw new TranscriptFault(`wrote no transcript as "${command}" does, which "output: ${form}" asks for`);
  }
  refuseBroken(brokenLine);
  refuseRepeated(repeated);
  return read(events);
}

/**
 * Reads a program's output if it is a transcript, else returns undefined. JSON lines with a type are some program's
 * transcript. Read as text, they would look like an agent without calls.
 */
export function findTranscript(stdout: string): Transcript | undefined {
  const { events, brokenLine, repeated, areLines } = parseEvents(stdout);
  const form = transcriptForms.find((name) => forms[name].is(events));
  if (form !== undefined) {
    refuseBroken(brokenLine);
    refuseRepeated(repeated);
    return forms[form].read(events);
  }
  if (areLines && brokenLine === undefined && events.every(({ type }) => typeof type === 'string')) {
    throw new TranscriptFault(
      `wrote events that are no transcript llmcheck knows; known: ${commands}; set "output: text" to take them as text`,
    );
  }
  return undefined;
}

/** Refuses an unreadable line: it may be a call. */
function refuseBroken(line: number | undefined): void {
  if (line !== undefined) throw new TranscriptFault(`wrote a transcript whose line ${line} is no JSON object`);
}

/** Refuses an event whose readers could differ in what it says. */
function refuseRepeated(repeated: string | undefined): void {
  if (repeated !== undefined) throw new TranscriptFault(`wrote a transcript in which ${repeated}`);
}

interface Events {
  readonly events: readonly JsonObject[];
  /** Number of the first line that is no JSON object. */
  readonly brokenLine?: number;
  /** Says which key of an event is written twice. */
  readonly repeated?: string;
  /** True if there are several objects, one per line. */
  readonly areLines: boolean;
}

/** Reads one JSON object, a list of objects, or JSON lines after an optional greeting. */
function parseEvents(stdout: string): Events {
  const whole = parseContainer(stdout);
  const base = { areLines: false, ...defined({ repeated: whole?.repeated }) };
  if (isJsonObject(whole?.value)) return { ...base, events: [whole.value] };
  if (Array.isArray(whole?.value)) return { ...base, events: whole.value.every(isJsonObject) ? whole.value : [] };
  const lines = stdout.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('{'));
  const events: JsonObject[] = [];
  let repeated: string | undefined;
  if (start === -1) return { events, areLines: false };
  for (const [at, line] of lines.entries()) {
    if (at < start || line.trim() === '') continue;
    const event = parseContainer(line);
    if (!isJsonObject(event?.value)) return { events, brokenLine: at + 1, areLines: false };
    events.push(event.value);
    repeated ??= event.repeated;
  }
  return { events, ...defined({ repeated }), areLines: start === 0 && events.length > 1 };
}

function parseContainer(text: string): AnsweredJson | undefined {
  const parsed = /^\s*[[{]/.test(text) ? tryParseAnswer(text) : undefined;
  return parsed && { ...parsed, value: plainNumbers(parsed.value) as JsonValue };
}
