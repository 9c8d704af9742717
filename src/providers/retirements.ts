/** Announced end of a model. */
export interface Retirement {
  /** Day of the end, ISO 8601. */
  readonly date: string;
  /** True if the vendor names only the earliest possible day. */
  readonly isEarliest: boolean;
  readonly source: string;
  readonly asOf: string;
}

/** Finds a model's end; undefined if unknown. The schedule of `adapter` wins over that of `priceProvider`. */
export function findRetirement(model: {
  readonly adapter: string;
  readonly priceProvider?: string;
  readonly model: string;
}): Retirement | undefined {
  const names = [model.adapter, model.priceProvider ?? model.adapter];
  const vendor = names.find((name) => Object.hasOwn(retirementTable, name));
  const found = vendor === undefined ? undefined : retirementTable[vendor];
  if (found === undefined) return undefined;
  const id = plainId(model.model);
  const { source, asOf } = found;
  const date = findDate(found.shutdowns, id);
  if (date !== undefined) return { date, isEarliest: false, source, asOf };
  const earliest = findDate(found.earliest ?? {}, id);
  return earliest === undefined ? undefined : { date: earliest, isEarliest: true, source, asOf };
}

function findDate(dates: VendorRetirements['shutdowns'], id: string): string | undefined {
  return Object.entries(dates).find(([, ids]) => ids.split(' ').includes(id))?.[0];
}

/** Removes the region of a Bedrock inference profile and the prefix of a Gemini model. */
function plainId(model: string): string {
  return model.replace(/^(us|eu|apac|global|us-gov|jp|au)\.(?=[a-z0-9]+\.)/, '').replace(/^models\//, '');
}

/** Shutdown dates of one vendor, from its own page or from public lists that cite it. */
interface VendorRetirements {
  readonly source: string;
  /** Last day on which the dates were checked, ISO 8601: vendors move them. */
  readonly asOf: string;
  /** Model ids, separated by spaces, by the day of their end. */
  readonly shutdowns: Readonly<Record<string, string>>;
  /** Like `shutdowns`, for models of which only the earliest possible day is known. */
  readonly earliest?: Readonly<Record<string, string>>;
}

/**
 * Text models by the vendor's name in the price table; `vertex` and `bedrock` have their own schedules. Azure is
 * missing: its model is a deployment, and the dates depend on its region and kind. A floating alias is listed only if
 * the vendor lists it.
 */
export const retirementTable: Readonly<Record<string, VendorRetirements>> = {
  openai: {
    source: 'https://developers.openai.com/api/docs/deprecations',
    asOf: '2026-10-28',
    shutdowns: {
      '2023-03-23': 'code-davinci-002',
      '2024-01-04': 'text-ada-001 text-babbage-001 text-curie-001 text-davinci-001 text-davinci-002 text-davinci-003',
      '2024-09-13': 'gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-16k-0613',
      '2024-12-06': 'gpt-4-vision-preview gpt-4-1106-vision-preview',
      '2025-06-06': 'gpt-4-32k',
      '2025-07-14': 'gpt-4.5-preview',
      '2025-07-28': 'o1-preview',
      '2025-10-27': 'o1-mini',
      '2026-02-12': 'codex-mini-latest',
      '2026-02-17': 'chatgpt-4o-latest',
      '2026-03-26': 'gpt-4-0125-preview gpt-4-0314 gpt-4-turbo-preview',
      '2026-07-23':
        'computer-use-preview computer-use-preview-2025-03-11 gpt-5-chat-latest gpt-5-codex gpt-5.1-chat-latest gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.1-codex gpt-5.2-codex',
      '2026-08-10': 'gpt-5.2-chat-latest gpt-5.3-chat-latest',
      '2026-09-28': 'babbage-002 davinci-002 gpt-3.5-turbo-1106 gpt-3.5-turbo-instruct',
      '2026-10-23':
        'gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-4-1106-preview gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4.1-nano gpt-4.1-nano-2025-04-14 gpt-4 gpt-4-0613 gpt-4o-2024-05-13 o1-pro o1-pro-2025-03-19 o1 o1-2024-12-17 o3-mini o3-mini-2025-01-31 o4-mini o4-mini-2025-04-16',
      '2026-12-11':
        'gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano gpt-5-nano-2025-08-07 gpt-5-pro gpt-5-pro-2025-10-06 gpt-5 gpt-5-2025-08-07 o3-pro o3-pro-2025-06-10 o3 o3-2025-04-16',
      '2027-01-14':
        'gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini-2024-07-18 gpt-4.1-2025-04-14 gpt-4.1-mini-2025-04-14',
    },
  },
  anthropic: {
    source: 'https://platform.claude.com/docs/en/about-claude/model-deprecations',
    asOf: '2026-07-30',
    shutdowns: {
      '2024-11-06':
        'claude-1.0 claude-1.1 claude-1.2 claude-1.3 claude-instant-1.0 claude-instant-1.1 claude-instant-1.2',
      '2025-07-21': 'claude-2.0 claude-2.1 claude-3-sonnet-20240229',
      '2025-10-28': 'claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest',
      '2026-01-05': 'claude-3-opus-20240229',
      '2026-02-19':
        'claude-3-5-haiku-20241022 claude-3-5-haiku-latest claude-3-7-sonnet-20250219 claude-3-7-sonnet-latest',
      '2026-04-20': 'claude-3-haiku-20240307',
      '2026-06-15': 'claude-opus-4-20250514 claude-opus-4-0 claude-sonnet-4-20250514 claude-sonnet-4-0',
      '2026-08-05': 'claude-opus-4-1-20250805 claude-opus-4-1',
    },
  },
  google: {
    source: 'https://ai.google.dev/gemini-api/docs/deprecations',
    asOf: '2026-08-03',
    shutdowns: {
      '2025-11-18': 'gemini-2.5-flash-preview-05-20',
      '2025-12-02': 'gemini-2.5-pro-preview-03-25 gemini-2.5-pro-preview-05-06 gemini-2.5-pro-preview-06-05',
      '2025-12-09': 'gemini-2.0-flash-lite-preview gemini-2.0-flash-lite-preview-02-05',
      '2026-02-17': 'gemini-2.5-flash-preview-09-25',
      '2026-03-09': 'gemini-3-pro-preview',
      '2026-03-31': 'gemini-2.5-flash-lite-preview-09-2025',
      '2026-05-25': 'gemini-3.1-flash-lite-preview',
      '2026-06-01': 'gemini-2.0-flash-lite gemini-2.0-flash-lite-001 gemini-2.0-flash gemini-2.0-flash-001',
      '2026-06-17': 'gemini-1.5-flash gemini-1.5-flash-002 gemini-1.5-pro gemini-1.5-pro-002',
    },
    earliest: {
      '2026-10-16': 'gemini-2.5-flash-lite gemini-2.5-flash gemini-2.5-pro',
    },
  },
  vertex: {
    source: 'https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/model-versions',
    asOf: '2026-08-21',
    shutdowns: {
      '2026-10-20': 'gemini-2.5-flash-lite gemini-2.5-flash gemini-2.5-pro',
    },
  },
  bedrock: {
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html',
    // Claude, Titan, Cohere and Jamba as known on that day; Nova was published later.
    asOf: '2025-11-01',
    shutdowns: {
      '2025-07-21':
        'anthropic.claude-v2 anthropic.claude-v2:1 anthropic.claude-instant-v1 anthropic.claude-3-sonnet-20240229-v1:0',
      '2025-08-01': 'ai21.jamba-instruct-v1:0',
      '2025-08-12': 'cohere.command-text-v14 cohere.command-light-text-v14',
      '2025-08-15': 'amazon.titan-text-premier-v1:0 amazon.titan-text-express-v1 amazon.titan-text-lite-v1',
      '2026-01-15': 'anthropic.claude-3-opus-20240229-v1:0',
      '2026-03-01': 'anthropic.claude-3-5-sonnet-20240620-v1:0 anthropic.claude-3-5-sonnet-20241022-v2:0',
      '2026-04-28': 'anthropic.claude-3-7-sonnet-20250219-v1:0',
      '2026-05-31': 'anthropic.claude-opus-4-20250514-v1:0',
      '2026-09-14': 'amazon.nova-premier-v1:0',
    },
  },
  mistral: {
    source: 'https://docs.mistral.ai/getting-started/models/models_overview/',
    asOf: '2026-08-03',
    shutdowns: {
      '2025-03-30': 'mistral-large-2407 open-mistral-7b open-mixtral-8x22b open-mixtral-8x7b',
      '2025-06-06': 'open-codestral-mamba',
      '2025-06-16': 'codestral-2405 mistral-large-2402 mistral-medium-2312 mistral-small-2402',
      '2025-09-30': 'mistral-saba-2502',
      '2025-11-30':
        'codestral-2501 devstral-small-2505 magistral-medium-2506 magistral-medium-2507 magistral-small-2506 magistral-small-2507 mistral-small-2409 mistral-small-2501 mistral-small-2503',
      '2025-12-31': 'ministral-3b-2410 ministral-8b-2410 pixtral-12b-2409',
      '2026-03-31': 'labs-devstral-small-2512',
      '2026-04-30': 'labs-mistral-small-creative',
      '2026-05-31': 'devstral-medium-2507 devstral-small-2507 mistral-large-2411 pixtral-large-2411',
      '2026-06-30': 'labs-leanstral-2603',
      '2026-07-31':
        'devstral-2512 magistral-medium-2509 magistral-small-2509 mistral-small-2506 open-mistral-nemo-2407',
      '2026-08-31': 'mistral-medium-2505 mistral-medium-2508',
    },
  },
  cohere: {
    source: 'https://docs.cohere.com/docs/deprecations',
    asOf: '2026-08-03',
    shutdowns: {
      '2026-04-04': 'c4ai-aya-expanse-8b',
    },
  },
  deepseek: {
    source: 'https://api-docs.deepseek.com/news/news260424/',
    asOf: '2026-08-03',
    shutdowns: {
      '2026-07-24': 'deepseek-chat deepseek-reasoner',
    },
  },
  'x-ai': {
    source: 'https://docs.x.ai/developers/migration/may-15-retirement',
    asOf: '2026-08-03',
    shutdowns: {
      '2026-05-15':
        'grok-3 grok-4-0709 grok-4-1-fast-non-reasoning grok-4-1-fast-reasoning grok-4-fast-non-reasoning grok-4-fast-reasoning grok-code-fast-1',
    },
  },
};
