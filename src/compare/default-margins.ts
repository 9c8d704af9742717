/** The margins if a suite sets none: the tolerated drop of a rate or score, and the tolerated increase of costs, steps and latency. */
export const defaultMaxDrop = 0.05;
export const defaultMaxCostIncrease = 0.1;
export const defaultMaxStepsIncrease = 0.2;
export const defaultMaxLatencyIncrease = 0.2;
