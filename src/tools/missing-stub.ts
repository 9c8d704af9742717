import { stringify } from 'yaml';
import { parseJson } from '../json/parse-json.ts';
import type { ToolStub } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { quote, shortenText } from '../text/shorten.ts';

/** Says that no stub answers a call, with the line of YAML that would. */
export function describeMissingStub(call: ToolCall, stubs: readonly ToolStub[]): string {
  const names = [...new Set(stubs.map(({ name }) => name))];
  const isKnown = names.includes(call.name);
  const meant = isKnown ? undefined : didYouMean(call.name, names);
  const why = isKnown
    ? `no stub of ${quote(call.name, 60)} matches its call`
    : `no stub answers ${quote(call.name, 60)}`;
  return `${why}${meant === undefined ? '' : `, ${meant}`}; to answer it, add under tools: ${writeStub(call)}`;
}

/** `find_order: [{ when: { id: "7" }, returns: … }]`. */
function writeStub({ name, rawArguments }: ToolCall): string {
  const parsed = parseJson(shortenText(rawArguments, maxArguments) === rawArguments ? rawArguments : '');
  const value: unknown = parsed.ok ? plainNumbers(parsed.value) : undefined;
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  const entry = isEmpty ? { returns: '…' } : { when: value, returns: '…' };
  return stringify({ [shortenText(name, 60)]: [entry] }, { collectionStyle: 'flow', lineWidth: 0 })
    .trim()
    .replace(/^\{ ?| ?\}$/g, '');
}

const maxArguments = 500;
