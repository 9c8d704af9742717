import { AwsV4Signer } from 'aws4fetch';
import { ReadOnlyStoreError, type SharedBackend } from './shared-cache.ts';

interface BucketReply {
  readonly status: number;
  readonly text: string;
}

/** Sends a request; a status is never an error. */
interface BucketTransport {
  send(request: {
    readonly url: string;
    readonly method: 'GET' | 'PUT';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<BucketReply>;
  close(): void;
}

export interface S3Options {
  readonly transport: BucketTransport;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Keys begin with it. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

// The caller has the time limit. Open requests end when the transport is closed.
const { signal } = new AbortController();

/** Keeps values as objects of a bucket, by the API that MinIO, R2 and others share with S3. */
export function openS3Backend(options: S3Options): SharedBackend {
  const { endpoint, bucket, prefix, transport, ...signing } = options;
  const base = `${endpoint.replace(/\/+$/, '')}/${bucket}`;
  const send = async (method: 'GET' | 'PUT', path: string, body?: string): Promise<BucketReply> => {
    const signer = new AwsV4Signer({
      ...signing,
      service: 's3',
      method,
      url: `${base}${path}`,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const { url, headers } = await signer.sign();
    // The client names the host itself.
    const sent = Object.fromEntries([...headers].filter(([name]) => name !== 'host'));
    return transport.send({ url: url.href, method, headers: sent, body: body ?? '', signal });
  };
  const pathOf = (key: string) => `/${`${prefix}${key}`.split('/').map(encodeURIComponent).join('/')}`;
  return {
    async read(key) {
      const { status, text } = await send('GET', pathOf(key));
      if (status === 404) return undefined;
      if (!isDone(status)) throw new Error(describeRefusal(status, text));
      return text;
    },
    async write(key, value) {
      const { status, text } = await send('PUT', pathOf(key), value);
      if (text.includes('<Code>AccessDenied<')) throw new ReadOnlyStoreError(describeRefusal(status, text));
      if (!isDone(status)) throw new Error(describeRefusal(status, text));
    },
    async count() {
      const { status, text } = await send(
        'GET',
        `?list-type=2&max-keys=1000&prefix=${encodeURIComponent(`${prefix}v`)}`,
      );
      if (!isDone(status)) throw new Error(describeRefusal(status, text));
      return {
        entries: text.split('<Key>').length - 1,
        isMore: text.includes('<IsTruncated>true</IsTruncated>'),
      };
    },
    close: () => transport.close(),
  };
}

function isDone(status: number): boolean {
  return status >= 200 && status < 300;
}

function describeRefusal(status: number, body: string): string {
  const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(body)?.[1];
  return `HTTP ${status}${code === undefined ? '' : ` ${code}`}`;
}
