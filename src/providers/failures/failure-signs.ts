import type { FailureKind } from '../../model/completion.ts';
import type { ApiError } from './read-api-error.ts';

interface Sign {
  readonly kind: FailureKind;
  readonly words: RegExp;
  /** Read only where no word decides: servers that name no code say it in a sentence. */
  readonly message: RegExp;
}

/**
 * Ordered: the first that fits decides. Wordings of OpenAI, Azure, Anthropic, Gemini, Bedrock, Cohere, DeepSeek, Groq,
 * Mistral, vLLM, llama.cpp, Ollama, xAI and OpenRouter, as of 2026.
 */
const signs: readonly Sign[] = [
  {
    kind: 'contentFilter',
    words: /content_?filter|content_policy|responsibleaipolicyviolation|moderation/,
    message:
      /content management policy|content filtering policy|violat\w* (our |the )?usage (polic|guideline)|flagged (as|by|for) /i,
  },
  {
    kind: 'contextLength',
    words: /context_length|context_window|exceed_context_size|string_above_max_length|request_too_large/,
    message:
      /maximum (context|prompt) length|context (length|window|size|limit)[^.]*exceed|exceeds?[^.]*context|(prompt|input|request)[^.]* (is )?too long|reduce the length of the (messages|prompt)|token count[^.]* exceeds the maximum|too many tokens: size limit/i,
  },
  {
    kind: 'quota',
    words: /insufficient_(quota|balance|credits)|billing|payment_required|out_of_credits|perday|servicequotaexceeded/,
    message:
      /insufficient (balance|credits?|funds|quota)|credit balance is too low|(reached|exceeded) your (specified API usage|monthly)|tokens per day|calls \/ month|any credits|\blimit: 0\b/i,
  },
  {
    kind: 'overloaded',
    words: /overloaded|capacity_?exceeded|nocapacity|modelnotready|serviceunavailable/,
    message: /\boverloaded\b/i,
  },
  {
    kind: 'rateLimit',
    words: /rate_?limit|resource_exhausted|too_many_requests|throttl/,
    message: /rate limit (reached|exceeded)/i,
  },
  {
    kind: 'auth',
    words:
      /invalid_api_key|api_key_invalid|authentication_error|permission_(error|denied)|unauthenticated|accessdenied|unrecognizedclient|expiredtoken|invalidsignature|unsupported_country/,
    message: /(incorrect|invalid) api (key|token)|api key not valid|user location is not supported|invalid token\b/i,
  },
  {
    kind: 'notFound',
    words: /model_not_found|deploymentnotfound|not_found_error|invalid_model|resourcenotfound/,
    message:
      /model\b.*\b(does not exist|not found|not exist)|not a valid model|model identifier is invalid|on-demand throughput/i,
  },
  {
    kind: 'server',
    words:
      /^(server_error|internal_?server_?error|internal_error|api_error|internal|vector_store_timeout|timeout_error)$|modelerrorexception|internalserverexception|modeltimeout/,
    message: /(?!)/,
  },
  {
    kind: 'badRequest',
    words: /^(invalid_prompt|invalid_argument)$/,
    message: /(?!)/,
  },
];

/** What the body's own words say, whatever the status; undefined where they decide nothing. */
export function kindOfWords(said: ApiError): FailureKind | undefined {
  const byWord = signs.find((sign) => said.words.some((word) => sign.words.test(word)));
  // A throttled account may be empty for the day, and says so in a sentence.
  if (byWord?.kind === 'rateLimit') return quota?.message.test(said.message) === true ? 'quota' : 'rateLimit';
  // `invalid_prompt` is also how the Responses API names a prompt that its policy refused.
  if (byWord !== undefined && byWord.kind !== 'badRequest') return byWord.kind;
  return signs.find((sign) => sign.message.test(said.message))?.kind ?? byWord?.kind;
}

const quota = signs.find(({ kind }) => kind === 'quota');
