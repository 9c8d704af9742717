import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { HttpError } from './http-error.ts';

/** More codings than any server uses. Each of them may multiply a body's size. */
const maxCodings = 4;

type Decode = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  deflate: decodeDeflate,
  identity: (body) => Promise.resolve(body),
};

const inflateWrapped: Decode = promisify(inflate);
const inflateBare: Decode = promisify(inflateRaw);

/** Undoes a `content-encoding`, several codings included. Throws an `HttpError` if the bytes don't fit it or the cap. */
export async function decodeBody(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  let decoded = body;
  // An empty element of a list is to be ignored (RFC 9110 5.6.1.2).
  const codings = encoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '');
  if (codings.length > maxCodings) throw unreadable(`${codings.length} codings`, `${maxCodings} are the most`);
  for (const coding of codings.reverse()) decoded = await decodeOne(decoded, coding, { encoding, maxBytes });
  return decoded;
}

async function decodeOne(
  body: Buffer,
  coding: string,
  { encoding, maxBytes }: { readonly encoding: string; readonly maxBytes: number },
): Promise<Buffer> {
  const name = coding.toLowerCase();
  const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  // In the server's spelling, so that a secret in it is recognised and masked.
  if (decode === undefined) throw unreadable(encoding, `the encoding ${JSON.stringify(coding)} is not known`);
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw unreadable(encoding, error.message, error);
  }
}

export function tooLarge(maxBytes: number): HttpError {
  return new HttpError('body-too-large', `the body is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB`);
}

function unreadable(encoding: string, reason: string, cause?: Error): HttpError {
  return new HttpError('body-unreadable', `the body can't be decoded as ${encoding}: ${reason}`, { cause });
}

/** Some servers send `deflate` without the zlib wrapper that RFC 9110 requires. The first byte shows which it is. */
function decodeDeflate(body: Buffer, options: { readonly maxOutputLength: number }): Promise<Buffer> {
  return ((body[0] ?? 0) & 0x0f) === 8 ? inflateWrapped(body, options) : inflateBare(body, options);
}
