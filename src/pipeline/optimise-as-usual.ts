export { optimiseAsUsual } from '../providers/optimise-as-usual.ts';
