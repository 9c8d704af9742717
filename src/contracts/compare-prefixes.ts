import { estimateTokenCount } from 'tokenx';
import { writeJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import { isSystemRole } from '../model/run/completion.ts';
import { type PromptVersion, type RenderedMessage, renderMessages, type Vars } from '../model/suite/suite.ts';
import { compileWritten } from '../prompts/prompt-template.ts';
import { type CacheFloor, findCacheFloor } from '../providers/cache-floors.ts';
import { type Change, change } from '../schema-diff/compare/change.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attemptOr } from '../text/attempt.ts';
import { formatCount } from '../text/format-amount.ts';
import { countCommonStart } from '../text/words/similarity.ts';
import type { ContractVariant } from './describe-contract.ts';

/** A variant with the variables of the cases that it is asked about. */
export interface AskedVariant {
  readonly variant: ContractVariant;
  readonly cases: Iterable<Vars>;
}

/** The least loss in tokens to report. OpenAI caches in steps of this size. */
const noticedTokens = 128;
/** A smaller loss is reported from this share of the old prefix on. */
const noticedShare = 0.05;

/**
 * Reports a prefix that vendors cached and now do not. The requests share fewer tokens at their start, so more of each
 * request is billed in full. A prompt that only got shorter loses nothing.
 */
export function comparePrefixes(old: AskedVariant, replacement: AskedVariant): readonly Change[] {
  const [floorBefore, floor] = [findCacheFloor(old.variant), findCacheFloor(replacement.variant)];
  if (floorBefore === undefined || floor === undefined) return [];
  const before = measurePrefix(old, floorBefore);
  if (before.cached === 0) return [];
  const after = measurePrefix(replacement, floor);
  const lost = Math.min(before.cached - after.cached, after.total - after.cached - (before.total - before.cached));
  if (lost < Math.min(noticedTokens, before.cached * noticedShare)) return [];
  return [
    change('cacheable-prefix-shortened', '/messages', describeLoss(before, after, lost, floor), {
      old: before.prefix,
      new: after.prefix,
    }),
  ];
}

function describeLoss(before: PrefixSize, after: PrefixSize, lost: number, floor: CacheFloor): string {
  const { vendor, tokens, source, asOf } = floor;
  const below = after.cached === 0 ? `, below the ${formatCount(tokens, 'token')} from which ${vendor} caches` : '';
  return (
    `The part that the requests of all cases begin with went from about ${formatCount(before.prefix, 'token')} to ` +
    `${after.prefix}${below}: about ${formatCount(lost, 'more token')} of each request can't be read from the cache ` +
    `(${source}, as known on ${asOf}). Put what differs from case to case at the end.`
  );
}

interface PrefixSize {
  /** Tokens, estimated, that the requests of all cases begin with. */
  readonly prefix: number;
  /** `prefix` if it has the vendor's minimum for caching, else 0. */
  readonly cached: number;
  /** Tokens of a whole request, on average. */
  readonly total: number;
}

/** This many cases show an average as well as a million. */
const maxMeasured = 50;

function measurePrefix({ variant, cases }: AskedVariant, floor: CacheFloor): PrefixSize {
  const prompt: Pick<PromptVersion, 'messages' | 'expand'> = compileWritten(variant.messages);
  const before = describeParams(variant);
  const isSystemFirst = variant.adapter !== 'openai' && variant.adapter !== 'azure';
  const distinct = new Set<string>();
  // One case, or several alike, do not show what differs: then it is what the templates read.
  const written = before + writeRequest(writeParts(variant), isSystemFirst);
  let common = '';
  let measured = 0;
  let sum = 0;
  for (const vars of cases) {
    const messages = render(prompt, vars);
    if (messages === undefined) continue;
    const request = before + writeRequest(messages, isSystemFirst);
    common = distinct.size === 0 ? request : common.slice(0, countCommonStart(common, request));
    if (distinct.size < 2) distinct.add(request);
    if (measured >= maxMeasured) continue;
    measured += 1;
    sum += estimateTokenCount(request);
  }
  const prefix = estimateTokenCount(distinct.size > 1 ? common : untilFirstTag(written));
  const total = measured === 0 ? estimateTokenCount(written) : sum / measured;
  return { prefix, cached: prefix >= floor.tokens ? prefix : 0, total };
}

/** Undefined for a case that lacks a variable of the prompt, which may have been renamed since. */
function render(
  prompt: Pick<PromptVersion, 'messages' | 'expand'>,
  vars: Vars,
): readonly RenderedMessage[] | undefined {
  return attemptOr(() => renderMessages({ id: '', params: {}, ...prompt }, vars), TemplateError, undefined);
}

/** The messages as written. */
function writeParts({ messages }: ContractVariant): readonly RenderedMessage[] {
  return messages.map(({ role, content, attach = [] }) => ({
    role: role as RenderedMessage['role'],
    content,
    attach,
  }));
}

/** Tools and schemas come before all messages. */
function describeParams({ params }: ContractVariant): string {
  const { tools = null, functions = null, response_format: format = null } = params;
  return [tools, functions, format].map((part: JsonValue) => (part === null ? '' : (writeJson(part) ?? ''))).join('\n');
}

/** Files come before the text that refers to them. */
function writeRequest(messages: readonly RenderedMessage[], isSystemFirst: boolean): string {
  const isSystem = ({ role }: RenderedMessage) => isSystemRole(role);
  const inOrder = isSystemFirst
    ? [...messages.filter(isSystem), ...messages.filter((message) => !isSystem(message))]
    : messages;
  return inOrder.map(({ role, content, attach }) => `\n${role}\n${attach.join('\n')}${content}`).join('');
}

function untilFirstTag(written: string): string {
  const tag = /\{[{%#]/.exec(written);
  return tag === null ? written : written.slice(0, tag.index);
}
