import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { ToolResult } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import { findPii, piiKinds } from '../secrets/find-pii.ts';
import { findSecrets } from '../secrets/find-secrets.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { findLongNumbers, plainNumbers } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';

/** What a real tool answered, as an entry of a stub file. */
export interface RecordedStub {
  readonly name: string;
  readonly when: JsonObject;
  readonly answer: { readonly returns: string } | { readonly fails: string };
}

/** The arguments of a call as a stub can hold them; a reason where it can't. */
export function readWhen(call: ToolCall, mask: Mask): { readonly when: JsonObject } | { readonly reason: string } {
  const parsed = parseJson(call.rawArguments.trim() === '' ? '{}' : call.rawArguments);
  const value: unknown = parsed.ok ? plainNumbers(parsed.value) : undefined;
  if (!isJsonObject(value)) return { reason: 'its arguments are no JSON object' };
  if (findLongNumbers(value).length > 0) return { reason: 'a number in its arguments is too long for a stub' };
  // A masked argument would match no call, and one without it would match other calls too.
  const text = writeJson(value) ?? '';
  if (maskSecrets(text, mask) !== text) return { reason: 'its arguments hold a secret' };
  return { when: value };
}

/** A result without secrets and personal data. What the call itself holds is known to the model, and stays. */
export function maskResult({ content, ...rest }: ToolResult, { rawArguments }: ToolCall, mask: Mask): ToolResult {
  let masked = maskSecrets(content, mask);
  const known = new Set(findAllPii(rawArguments).map(({ text }) => text.toLowerCase()));
  for (const { text } of findAllPii(masked)) {
    if (!known.has(text.toLowerCase())) masked = masked.replaceAll(text, '***');
  }
  return { content: masked, ...rest };
}

/** Other numbers look like those of telephones: orders, parcels, customers. */
function findAllPii(text: string) {
  const kinds = piiKinds.filter((kind) => kind !== 'phone');
  return findPii(text, { kinds, ignore: new Set(), limit: maxFindings });
}

function maskSecrets(text: string, mask: Mask): string {
  let masked = mask(text);
  for (const { text: secret } of findSecrets(masked, { entropy: false, ignore: new Set(), limit: maxFindings })) {
    masked = masked.replaceAll(secret, '***');
  }
  return masked;
}

const maxFindings = 10_000;

/** The same calls of a file have the same key. */
export function stubKey(name: string, when: JsonObject): string {
  return canonicalJson([name, when]);
}

/** `find_order {"id":"7"}`. */
export function describeStubCall({ name, rawArguments }: ToolCall): string {
  return `${quote(name, 60)} with ${quote(rawArguments, 100)}`;
}
