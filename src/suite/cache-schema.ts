import * as z from 'zod';
import { duration } from './duration-schema.ts';

const words = z.string().min(1, { error: 'must not be empty' });

/** A cache that several machines share. */
export const cacheSchema = z.strictObject({
  url: words.exactOptional().describe('redis://host:6379/0, rediss://… or s3://bucket/folder, without a password.'),
  urlEnv: words.exactOptional().describe('The NAME of the variable that holds the address, such as REDIS_URL.'),
  username: words.exactOptional().describe('User of the Redis server.'),
  passwordEnv: words.exactOptional().describe('The NAME of the variable that holds the password of the Redis server.'),
  endpoint: words.exactOptional().describe('Where the bucket is, if not at AWS: http://127.0.0.1:9000.'),
  region: words.exactOptional().describe('Region of the bucket; default AWS_REGION, else us-east-1.'),
  prefix: words.exactOptional().describe('What keys begin with; default "llmcheck:".'),
  ttl: duration.exactOptional().describe('Older answers count as missing, such as "720h".'),
  timeout: duration.exactOptional().describe('Time for an answer of the cache; default 500ms.'),
});
