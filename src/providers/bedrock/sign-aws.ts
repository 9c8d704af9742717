import { AwsV4Signer } from 'aws4fetch';
import type { ProviderFailure } from '../../model/completion.ts';
import type { Sign } from '../http-adapter.ts';

interface SignerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly region: string;
  readonly service: string;
}

/** Signs with AWS Signature Version 4, from the variables that every AWS tool reads. */
export function createAwsSigner({ env, region, service }: SignerOptions): Sign | ProviderFailure {
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
