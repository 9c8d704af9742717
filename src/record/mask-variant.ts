import { defined } from '../json/defined.ts';
import type { RecordedVariant } from '../model/run/record.ts';
import { type Mask, maskJson } from '../secrets/mask-secrets.ts';

type Masked = Pick<RecordedVariant, 'params' | 'messages' | 'contract' | 'baseUrl' | 'options'>;

/** Masks a variant except its ids, which identify rows. */
export function maskVariant<T extends Masked>(variant: T, mask: Mask): T {
  const { params, messages, contract } = variant;
  const baseUrl = variant.baseUrl === undefined ? undefined : mask(variant.baseUrl);
  const options = variant.options === undefined ? undefined : maskJson(variant.options, mask);
  return {
    ...variant,
    params: maskJson(params, mask),
    messages: maskJson(messages, mask),
    contract: maskJson(contract, mask),
    ...defined({ baseUrl, options }),
  };
}
