export { systemClock } from '../execute/clock.ts';
