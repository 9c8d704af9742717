import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { ProviderFailure } from '../../model/completion.ts';
import type { ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { defineHttpAdapter, type Sign } from '../http-adapter.ts';
import type { Preset } from '../presets.ts';
import { bedrockConverse } from './converse.ts';

const options = z.strictObject({
  /** Default AWS_REGION. */
  region: z.string().min(1).exactOptional(),
});

const bearer = 'AWS_BEARER_TOKEN_BEDROCK';

export const bedrock = defineHttpAdapter({
  summary: 'AWS Bedrock, by its Converse API, with a Bedrock API key or signed with AWS credentials',
  example: 'bedrock:us.amazon.nova-lite-v1:0',
  version: 'converse-1',
  writes: ['model', 'modelId', 'messages'],
  systemMember: 'system',
  options,
  presetOf: buildPreset,
  secretEnv: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', bearer],
  formatOf: () => bedrockConverse,
  async openSigner(config, env) {
    const region = findRegion(config, env) ?? '';
    const preset = buildPreset(config, env);
    // A key has its own header, and an address from the suite gets only the credentials that the suite names.
    if (config.apiKeyEnv !== undefined || preset.apiKeyEnv !== undefined || !isAmazonHost(config.baseUrl))
      return undefined;
    return openAwsSigner({ env: env.env, region, service: 'bedrock' });
  },
});

function buildPreset(config: ProviderConfig, providerEnv: ProviderEnv): Preset {
  const region = findRegion(config, providerEnv);
  const hasKey = (providerEnv.env[bearer] ?? '').trim() !== '';
  return {
    title: 'AWS Bedrock',
    exampleModel: 'us.amazon.nova-lite-v1:0',
    ...defined({ baseUrl: region && `https://bedrock-runtime.${region}.amazonaws.com` }),
    baseUrlEnv: { name: 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME', path: '' },
    addressHint: 'set AWS_REGION, or add region to the provider',
    ...(hasKey ? { apiKeyEnv: bearer } : {}),
    priceProvider: 'aws',
  };
}

function findRegion(config: ProviderConfig, { env }: ProviderEnv): string | undefined {
  const own = options.parse(config.options).region;
  return [own, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find((region) => (region ?? '').trim() !== '')?.trim();
}

function isAmazonHost(baseUrl: string | undefined): boolean {
  return baseUrl === undefined || /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(baseUrl).hostname);
}

interface SignerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly region: string;
  readonly service: string;
}

/** Signs with AWS Signature Version 4, from the variables that every AWS tool reads. */
async function openAwsSigner({ env, region, service }: SignerOptions): Promise<Sign | ProviderFailure> {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']?.trim() ?? '';
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']?.trim() ?? '';
  const sessionToken = env['AWS_SESSION_TOKEN']?.trim() ?? '';
  const missing = [
    ...(accessKeyId === '' ? ['AWS_ACCESS_KEY_ID'] : []),
    ...(secretAccessKey === '' ? ['AWS_SECRET_ACCESS_KEY'] : []),
    ...(region === '' ? ['AWS_REGION'] : []),
  ];
  if (missing.length > 0) {
    const what = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`;
    return {
      kind: 'auth',
      message: `${what}: set AWS_BEARER_TOKEN_BEDROCK, or AWS credentials (aws configure export-credentials --format env prints them)`,
    };
  }
  const { AwsV4Signer } = await import('aws4fetch');
  return async (url, body) => {
    const signer = new AwsV4Signer({
      method: 'POST',
      url,
      body,
      headers: { 'content-type': 'application/json' },
      accessKeyId,
      secretAccessKey,
      region,
      service,
      ...(sessionToken === '' ? {} : { sessionToken }),
    });
    const { headers } = await signer.sign();
    return Object.fromEntries([...headers].filter(([name]) => name !== 'host'));
  };
}
