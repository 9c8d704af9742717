import { describe, expect, it } from 'vitest';
import { failurePolicies } from '../../src/calls/failure-policies.ts';
import type { FailureKind } from '../../src/model/run/completion.ts';
import { classifyReply, kindOfApiError } from '../../src/providers/failures/classify-failure.ts';

type Row = readonly [
  api: string,
  status: number,
  kind: FailureKind,
  body: object | string,
  more?: { readonly errorType?: string; readonly retryable?: false; readonly retryAfterMs?: number },
];

function openai(message: string, code: string | null = null, type = 'invalid_request_error'): object {
  return { error: { message, type, param: null, code } };
}
function anthropic(type: string, message: string): object {
  return { type: 'error', error: { type, message }, request_id: 'req_1' };
}
function gemini(code: number, status: string, message: string, details: readonly object[] = []): object {
  return { error: { code, message, status, details } };
}
function quotaOf(quotaId: string): readonly object[] {
  return [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId, quotaValue: '50' }] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37.5s' },
  ];
}

/** Error bodies as the vendors document them or as they were seen, 2023 to 2026. */
const rows: readonly Row[] = [
  ['OpenAI', 401, 'auth', openai('Incorrect API key provided: sk-x.', 'invalid_api_key')],
  ['OpenAI', 403, 'auth', openai('Country not supported', 'unsupported_country_region_territory', 'request_forbidden')],
  [
    'OpenAI',
    404,
    'notFound',
    openai('The model `gpt-9` does not exist or you do not have access to it.', 'model_not_found'),
  ],
  // A conversation whose stored reasoning is gone; the model is there.
  ['OpenAI', 404, 'badRequest', openai("Item with id 'rs_1' not found.", null)],
  [
    'OpenAI',
    400,
    'contextLength',
    openai("This model's maximum context length is 8192 tokens.", 'context_length_exceeded'),
  ],
  ['OpenAI', 400, 'contextLength', openai('Invalid messages[0].content: string too long.', 'string_above_max_length')],
  [
    'OpenAI',
    429,
    'rateLimit',
    openai('Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000.', 'rate_limit_exceeded', 'tokens'),
  ],
  [
    'OpenAI',
    429,
    'rateLimit',
    openai('Request too large for gpt-4o on tokens per min (TPM).', 'rate_limit_exceeded', 'tokens'),
    { retryable: false },
  ],
  [
    'OpenAI',
    429,
    'quota',
    openai(
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
  ],
  [
    'OpenAI',
    429,
    'quota',
    openai('Your account is not active, please check your billing details.', 'billing_not_active'),
  ],
  [
    'OpenAI',
    400,
    'contentFilter',
    openai('Invalid prompt: your prompt was flagged as potentially violating our usage policy.', 'invalid_prompt'),
  ],
  [
    'OpenAI',
    400,
    'badRequest',
    openai("Unsupported value: 'temperature' does not support 0 with this model.", 'unsupported_value'),
  ],
  ['a compatible server', 400, 'server', openai('Something went wrong.', null, 'server_error')],
  ['OpenAI', 500, 'server', openai('The server had an error while processing your request.', null, 'server_error')],
  [
    'OpenAI',
    503,
    'overloaded',
    openai('That model is currently overloaded with other requests.', null, 'server_error'),
  ],
  [
    'Azure',
    400,
    'contentFilter',
    {
      error: {
        message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
  ],
  ['Azure', 401, 'auth', { statusCode: 401, message: 'Unauthorized. Access token is missing, invalid, or expired.' }],
  [
    'Azure',
    404,
    'notFound',
    { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
  ],
  [
    'Azure',
    429,
    'rateLimit',
    {
      error: { code: '429', message: 'Requests have exceeded call rate limit of your current OpenAI S0 pricing tier.' },
    },
  ],
  [
    'Azure',
    429,
    'overloaded',
    { error: { code: 'NoCapacity', message: 'The system is currently experiencing high demand.' } },
  ],
  ['Anthropic', 401, 'auth', anthropic('authentication_error', 'invalid x-api-key')],
  [
    'Anthropic',
    403,
    'auth',
    anthropic('permission_error', 'Your API key does not have permission to use the specified resource.'),
  ],
  ['Anthropic', 404, 'notFound', anthropic('not_found_error', 'model: claude-9')],
  ['Anthropic', 400, 'badRequest', anthropic('invalid_request_error', 'max_tokens: Field required')],
  [
    'Anthropic',
    400,
    'contextLength',
    anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
  ],
  [
    'Anthropic',
    400,
    'contextLength',
    anthropic('invalid_request_error', 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000'),
  ],
  ['Anthropic', 413, 'contextLength', anthropic('request_too_large', 'Request exceeds the maximum size')],
  [
    'Anthropic',
    400,
    'quota',
    anthropic('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
  ],
  ['Anthropic', 400, 'quota', anthropic('invalid_request_error', 'You have reached your specified API usage limits.')],
  ['Anthropic', 402, 'quota', anthropic('billing_error', 'Payment failed')],
  ['Anthropic', 400, 'contentFilter', anthropic('invalid_request_error', 'Output blocked by content filtering policy')],
  [
    'Anthropic',
    429,
    'rateLimit',
    anthropic(
      'rate_limit_error',
      "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
    ),
  ],
  ['Anthropic', 500, 'server', anthropic('api_error', 'Internal server error')],
  ['Anthropic', 504, 'server', anthropic('timeout_error', 'Request timed out')],
  ['Anthropic', 529, 'overloaded', anthropic('overloaded_error', 'Overloaded')],
  [
    'Gemini',
    400,
    'auth',
    gemini(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [{ reason: 'API_KEY_INVALID' }]),
  ],
  ['Gemini', 400, 'auth', gemini(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.')],
  ['Gemini', 403, 'auth', gemini(403, 'PERMISSION_DENIED', 'Method doesn’t allow unregistered callers.')],
  ['Gemini', 404, 'notFound', gemini(404, 'NOT_FOUND', 'models/gemini-9 is not found for API version v1beta.')],
  [
    'Gemini',
    400,
    'contextLength',
    gemini(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    ),
  ],
  ['Gemini', 400, 'badRequest', gemini(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. Unknown name "x".')],
  [
    'Gemini',
    429,
    'rateLimit',
    gemini(
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota.',
      quotaOf('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
    ),
    { retryAfterMs: 37_500 },
  ],
  [
    'Gemini',
    429,
    'quota',
    gemini(
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota.',
      quotaOf('GenerateRequestsPerDayPerProjectPerModel-FreeTier'),
    ),
    { retryAfterMs: 37_500 },
  ],
  [
    'Gemini',
    429,
    'quota',
    gemini(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for metric: free_tier_requests, limit: 0, model: gemini-2.5-pro'),
  ],
  ['Gemini', 500, 'server', gemini(500, 'INTERNAL', 'An internal error has occurred.')],
  ['Gemini', 503, 'overloaded', gemini(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')],
  ['Gemini', 504, 'server', gemini(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.')],
  ['Gemini, as a list', 429, 'rateLimit', [gemini(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted.')]],
  [
    'Bedrock',
    429,
    'rateLimit',
    { message: 'Too many requests, please wait before trying again.' },
    { errorType: 'ThrottlingException' },
  ],
  [
    'Bedrock',
    429,
    'quota',
    { message: 'Too many tokens per day, please wait before trying again.' },
    { errorType: 'ThrottlingException:http://internal.amazon.com/coral/' },
  ],
  ['Bedrock', 429, 'overloaded', { message: 'Model is not ready.' }, { errorType: 'ModelNotReadyException' }],
  [
    'Bedrock',
    400,
    'contextLength',
    { message: 'Input is too long for requested model.' },
    { errorType: 'ValidationException' },
  ],
  [
    'Bedrock',
    400,
    'notFound',
    { message: 'The provided model identifier is invalid.' },
    { errorType: 'ValidationException' },
  ],
  [
    'Bedrock',
    400,
    'notFound',
    { message: 'Invocation of model ID x with on-demand throughput isn’t supported.' },
    { errorType: 'ValidationException' },
  ],
  [
    'Bedrock',
    400,
    'badRequest',
    { message: 'A conversation must start with a user message.' },
    { errorType: 'ValidationException' },
  ],
  [
    'Bedrock',
    400,
    'quota',
    { message: 'Your request exceeds the service quota for your account.' },
    { errorType: 'ServiceQuotaExceededException' },
  ],
  [
    'Bedrock',
    403,
    'auth',
    { message: "You don't have access to the model with the specified model ID." },
    { errorType: 'AccessDeniedException' },
  ],
  [
    'Bedrock',
    403,
    'auth',
    { message: 'The security token included in the request is expired' },
    { errorType: 'ExpiredTokenException' },
  ],
  ['Bedrock', 403, 'auth', { Message: 'Authentication failed: Please make sure your API Key is valid.' }],
  [
    'Bedrock',
    404,
    'notFound',
    { message: 'Could not resolve the foundation model.' },
    { errorType: 'ResourceNotFoundException' },
  ],
  [
    'Bedrock',
    408,
    'server',
    { message: 'Model has timed out in processing the request.' },
    { errorType: 'ModelTimeoutException' },
  ],
  [
    'Bedrock',
    424,
    'server',
    { message: 'The request failed due to an error while processing the model.' },
    { errorType: 'ModelErrorException' },
  ],
  [
    'Bedrock',
    500,
    'server',
    { message: 'The system encountered an unexpected error.' },
    { errorType: 'InternalServerException' },
  ],
  [
    'Bedrock',
    503,
    'overloaded',
    { message: 'Bedrock is unable to process your request.' },
    { errorType: 'ServiceUnavailableException' },
  ],
  ['Cohere', 401, 'auth', { message: 'invalid api token' }],
  ['Cohere', 498, 'auth', { message: 'invalid token: expired' }],
  ['Cohere', 404, 'notFound', { message: "model 'command-9' not found, make sure the correct model ID was used" }],
  [
    'Cohere',
    400,
    'contextLength',
    { message: 'too many tokens: size limit exceeded by 4 tokens. Try using shorter or fewer inputs' },
  ],
  ['Cohere', 429, 'rateLimit', { message: 'You are using a Trial key, which is limited to 20 API calls / minute.' }],
  ['Cohere', 429, 'quota', { message: 'You are using a Trial key, which is limited to 1000 API calls / month.' }],
  ['Cohere', 422, 'badRequest', { message: 'invalid type: parameter temperature is of type string' }],
  ['Mistral', 401, 'auth', { detail: 'Unauthorized' }],
  [
    'Mistral',
    400,
    'notFound',
    { object: 'error', message: 'Invalid model: mistral-9', type: 'invalid_model', param: null, code: '1500' },
  ],
  ['Mistral', 422, 'badRequest', { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required' }] }],
  [
    'Mistral',
    400,
    'contextLength',
    {
      object: 'error',
      message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length',
      code: '3051',
    },
  ],
  ['Mistral', 429, 'rateLimit', { message: 'Requests rate limit exceeded' }],
  [
    'Mistral',
    429,
    'overloaded',
    {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'service_tier_capacity_exceeded',
      code: '3505',
    },
  ],
  [
    'Groq',
    413,
    'rateLimit',
    openai(
      'Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 8000',
      'rate_limit_exceeded',
      'tokens',
    ),
    { retryable: false },
  ],
  ['Groq', 400, 'badRequest', openai("Failed to call a function. See 'failed_generation'.", 'tool_use_failed')],
  ['Groq', 498, 'overloaded', openai('Flex tier capacity exceeded', 'capacity_exceeded')],
  ['OpenRouter', 401, 'auth', { error: { code: 401, message: 'No auth credentials found' } }],
  [
    'OpenRouter',
    402,
    'quota',
    { error: { code: 402, message: 'Insufficient credits. Add more using https://openrouter.ai/credits' } },
  ],
  [
    'OpenRouter',
    403,
    'contentFilter',
    { error: { code: 403, message: 'openai/gpt-4o requires moderation. Your input was flagged for "violence".' } },
  ],
  ['OpenRouter', 400, 'notFound', { error: { code: 400, message: 'openai/gpt-9 is not a valid model ID' } }],
  [
    'OpenRouter',
    429,
    'rateLimit',
    {
      error: { code: 429, message: 'Provider returned error', metadata: { raw: 'temporarily rate-limited upstream' } },
    },
  ],
  ['OpenRouter', 502, 'server', { error: { code: 502, message: 'Provider returned error' } }],
  ['DeepSeek', 402, 'quota', openai('Insufficient Balance', 'invalid_request_error', 'unknown_error')],
  ['DeepSeek', 400, 'notFound', openai('Model Not Exist', 'invalid_request_error')],
  [
    'DeepSeek',
    401,
    'auth',
    openai('Authentication Fails (no such user)', 'invalid_request_error', 'authentication_error'),
  ],
  ['xAI', 400, 'auth', { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***.' }],
  [
    'xAI',
    403,
    'quota',
    { code: 'The caller does not have permission', error: "Your newly created team doesn't have any credits yet." },
  ],
  [
    'xAI',
    400,
    'contextLength',
    {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
  ],
  [
    'vLLM',
    404,
    'notFound',
    { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 },
  ],
  ['Ollama', 404, 'notFound', openai('model "x" not found, try pulling it first', null, 'api_error')],
  [
    'llama.cpp',
    400,
    'contextLength',
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size',
        type: 'exceed_context_size_error',
      },
    },
  ],
  ['llama.cpp', 503, 'overloaded', { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }],
  ['a gateway', 502, 'server', '<html><body>502 Bad Gateway</body></html>'],
  ['a gateway', 429, 'rateLimit', ''],
  ['a gateway', 529, 'overloaded', ''],
  ['a gateway', 403, 'auth', 'Forbidden'],
  ['a redirect', 302, 'badRequest', ''],
  [
    'a gateway',
    429,
    'rateLimit',
    { error: { message: 'Retry after 2 Minutes 9 SECONDS.' } },
    { retryAfterMs: 129_000 },
  ],
];

const named = rows.map((row) => ({ row, name: `${row[0]} with ${row[1]} is ${row[2]}: ${JSON.stringify(row[3])}` }));

describe('an error of', () => {
  it.each(named)('$name', ({ row: [, status, kind, body, more = {}] }) => {
    const { errorType, ...expected } = more;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = errorType === undefined ? {} : { 'x-amzn-errortype': errorType };
    const failure = classifyReply({ status, headers, text }, 'https://api.example/v1', 0);
    expect(failure).toEqual({ kind, status, message: expect.any(String) as string, ...expected });
  });

  it('a path that is not there does not repeat the query it was asked with', () => {
    const { message } = classifyReply({ status: 404, headers: {}, text: '' }, 'https://api.example/v1?key=secret', 0);
    expect(message).toContain('asked at https://api.example/v1;');
  });
});

describe('an error under a successful status', () => {
  it.each([
    [{ message: 'Busy.', words: [], status: 503 }, 'overloaded'],
    [{ message: 'Busy.', words: [], status: 200 }, 'malformed'],
    [{ message: 'Busy.', words: ['overloaded_error'], status: 400 }, 'overloaded'],
    [{ message: 'Busy.', words: [] }, 'malformed'],
  ] as const)('of %j is %s', (said, kind) => {
    expect(kindOfApiError(said)).toBe(kind);
  });
});

describe('the policy of', () => {
  const retry = { retry: true, stopsProvider: false, failsCell: false };
  const error = { ...retry, retry: false };
  const stop = { ...error, stopsProvider: true };
  const fail = { ...error, failsCell: true };
  it.each([
    ['auth', stop],
    ['notFound', stop],
    ['quota', stop],
    ['badRequest', error],
    ['contextLength', fail],
    ['contentFilter', fail],
    ['rateLimit', retry],
    ['overloaded', retry],
    ['server', retry],
    ['network', retry],
    ['timeout', retry],
    ['malformed', error],
    ['aborted', error],
  ] as const)('%s is %j', (kind, policy) => {
    expect(failurePolicies[kind]).toEqual(policy);
  });
});
