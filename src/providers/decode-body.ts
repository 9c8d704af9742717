import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

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

/** Undoes a `content-encoding`, several codings included. Throws where the bytes don't fit it or grow past the cap. */
export async function decodeBody(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  let decoded = body;
  for (const coding of encoding.split(',').reverse()) {
    const said = coding.trim();
    // An empty element of a list is to be ignored (RFC 9110 5.6.1.2).
    if (said === '') continue;
    const name = said.toLowerCase();
    const decode = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
    // As it was said: what is masked in messages is found as it stands.
    if (decode === undefined) throw new Error(`the encoding ${JSON.stringify(said)} is not known`);
    decoded = await decode(decoded, { maxOutputLength: maxBytes });
  }
  return decoded;
}

/** Some servers send `deflate` without the zlib wrapper that RFC 9110 asks for; the first byte tells. */
function decodeDeflate(body: Buffer, options: { readonly maxOutputLength: number }): Promise<Buffer> {
  return ((body[0] ?? 0) & 0x0f) === 8 ? inflateWrapped(body, options) : inflateBare(body, options);
}
